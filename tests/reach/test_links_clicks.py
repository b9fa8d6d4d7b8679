"""Clicks: everything is kept, a program's never counts, and a fact is written once."""

from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable

from regulars.adapters.delta_lake import DeltaLake
from regulars.errors import Transient
from regulars.reach.links.clicks.service import (
    Request,
    counts,
    follow,
    opened_by,
    requests_by_verdict,
    settle_clicks,
)
from regulars.reach.links.creator_marks import key_of_link
from regulars.reach.links.scanners import Click, read_rules, verdicts
from regulars.reach.links.service import Links, keep
from regulars.reach.links.tokens import Standing

ON_BOTH = True
SECRET = bytes(range(32))
BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)
KEY = "0123456789abcdef" * 2
SHOP = "https://shop.example/spring"


@pytest.fixture
def links():
    return Links(SECRET, base_url="https://go.example/")


@pytest.fixture
def clicked(shop, links, tmp_path):
    """A shop with one contact that was sent, and a hand to click its links with."""
    return Clicked(shop, links, DeltaLake(tmp_path / "lake"))


class Clicked:
    def __init__(self, shop, links, lake):
        self.state, self.links, self.lake = shop.state, links, lake
        self.shop_rows = lambda: shop.all("select * from link_clicks")
        self.sent_at, self.key = shop.turn().now, KEY
        at = self.sent_at.isoformat(timespec="microseconds")
        shop.run(
            """INSERT INTO ledger (key, run_id, customer_id, channel, state, reason, planned_at, at)
               VALUES (:key, 'campaign/spring/1', 'a', 'email', 'sent', 'handed_over', :at, :at)""",
            {"key": KEY, "at": at},
        )
        keep(self.state, [SHOP, f"{SHOP}/1", f"{SHOP}/2"], now=self.sent_at)

    def clicks(self, url, *, seconds=3600, **how):
        how = {"agent": BROWSER, "address": "203.0.113.7"} | how
        token = url.rsplit("/", 1)[1]
        asked = Request(self.sent_at + timedelta(seconds=seconds), **how)
        return follow(self.state, self.links, token, asked)

    def settles(self, *, seconds=7200):
        return settle_clicks(self.state, self.lake, now=self.sent_at + timedelta(seconds=seconds))

    def facts(self):
        path = str(self.lake._path("contact_outcomes"))
        if not DeltaTable.is_deltatable(path):
            return []
        rows = DeltaTable(path).to_pyarrow_table().to_pylist()
        return sorted((r["contact_key"], r["customer_id"], r["kind"]) for r in rows)


def test_a_click_opens_on_what_was_signed_and_becomes_one_fact(clicked):
    url = clicked.links.click_url(SHOP, clicked.key)

    answer = clicked.clicks(url)

    assert (answer.standing, answer.url) == (Standing.GENUINE, SHOP)
    assert clicked.settles() == 1
    assert clicked.facts() == [(clicked.key, "a", "clicked")]
    assert clicked.settles() == 0
    assert clicked.facts() == [(clicked.key, "a", "clicked")]


def test_a_click_just_made_waits_until_what_follows_can_speak(clicked):
    clicked.clicks(clicked.links.click_url(SHOP, clicked.key), seconds=3600)

    assert clicked.settles(seconds=3600 + read_rules().settle_seconds - 1) == 0
    assert clicked.settles(seconds=3600 + read_rules().settle_seconds) == 1


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({"method": "HEAD"}, "head"),
        ({"agent": ""}, "no_agent"),
        ({"agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, "agent"),
        ({"agent": "BarracudaSentinel (EE)"}, "agent"),
        ({"agent": "python-requests/2.32"}, "agent"),
        ({"agent": BROWSER.replace("Safari", "HeadlessChrome")}, "agent"),
        ({"is_prefetch": True}, "prefetch"),
        ({"seconds": 2}, "too_soon"),
    ],
)  # fmt: skip
def test_a_scanner_is_led_on_and_kept_but_never_counts(clicked, how, verdict):
    answer = clicked.clicks(clicked.links.click_url(SHOP, clicked.key), **how)

    assert answer.url == SHOP
    assert clicked.settles() == 0
    assert clicked.facts() == []
    assert requests_by_verdict(clicked.state) == [
        {"verdict": verdict, "kind": "click", "requests": 1}
    ]
    assert [(c.requests, c.clicks) for c in counts(clicked.state)] == [(1, 0)]


def test_whoever_takes_the_link_nobody_sees_did_not_read(clicked):
    clicked.clicks(clicked.links.click_url(SHOP, clicked.key), seconds=3600)
    trapped = clicked.clicks(clicked.links.trap_url(clicked.key), seconds=3601)
    clicked.clicks(
        clicked.links.click_url(SHOP, clicked.key),
        seconds=3660, address="198.51.100.9", agent=BROWSER.replace("17_0", "16_5"),
    )  # fmt: skip

    assert trapped.url == ""
    assert clicked.settles() == 1
    assert {row["verdict"] for row in requests_by_verdict(clicked.state)} == {"trap", ""}


def test_going_through_all_links_in_a_moment_is_no_reading(clicked):
    for number, url in enumerate((SHOP, f"{SHOP}/1", f"{SHOP}/2")):
        clicked.clicks(clicked.links.click_url(url, clicked.key), seconds=3600 + number / 2)

    assert clicked.settles() == 0
    assert requests_by_verdict(clicked.state)[0]["verdict"] == "sweep"


def test_a_program_that_asks_for_one_link_of_each_creator_brings_no_creator_a_click(clicked):
    """The last link is asked for when the first could be judged, and is judged alone later."""
    pages = {name: f"{SHOP}?by={name}" for name in ("li", "mo", "wu", "xi")}
    keep(clicked.state, pages.values(), now=clicked.sent_at)

    def asks(name, *, seconds, **how):
        clicked.clicks(
            clicked.links.click_url(pages[name], key_of_link(name)), seconds=seconds, **how
        )

    asks("li", seconds=3600.0)
    asks("mo", seconds=3600.5)
    asks("wu", seconds=3601.0)
    for seconds, name in enumerate(("li", "mo", "wu")):
        asks(name, seconds=3600 + seconds / 2, address=f"198.51.100.{seconds}")
    clicked.settles(seconds=3600 + read_rules().settle_seconds)
    asks("xi", seconds=3602.5)
    clicked.settles()

    verdicts_of = {
        (row["contact_key"].split("/")[1], row["address"] == clicked.links.hidden("203.0.113.7")):
        row["verdict"]
        for row in clicked.shop_rows()
    }  # fmt: skip
    swept = {(name, True): "sweep" for name in ("li", "mo", "wu", "xi")}
    people = {(name, False): "" for name in ("li", "mo", "wu")}
    assert verdicts_of == swept | people


def test_a_filter_that_looks_at_agents_alone_is_caught():
    """Planted: a gateway that passes for a browser and is merely too fast."""
    rules = read_rules()
    at = datetime(2026, 3, 2, tzinfo=UTC)
    fast = [Click("a", "k", "click", "d", at + timedelta(seconds=1), agent=BROWSER)]

    assert verdicts(fast, handed_over_at=at, rules=rules) == {"a": "too_soon"}
    assert verdicts(fast, handed_over_at=None, rules=rules) == {"a": ""}


def test_the_table_of_destinations_is_not_believed(clicked, shop):
    """Somebody who can write to the table cannot send customers elsewhere."""
    url = clicked.links.click_url(SHOP, clicked.key)
    shop.run("update link_destinations set url = 'https://evil.example/'", {})

    answer = clicked.clicks(url)

    assert (answer.standing, answer.url) == (Standing.FOREIGN, "")


def test_a_short_link_leads_where_the_long_one_does_and_stays_the_same(clicked):
    long = clicked.links.click_url(SHOP, clicked.key)

    short = clicked.links.shorten(clicked.state, [long], now=clicked.sent_at)[long]
    again = clicked.links.shorten(clicked.state, [long, long], now=clicked.sent_at)[long]

    assert short == again
    assert len(short) <= len("https://go.example/r/") + 11
    assert clicked.clicks(short).url == SHOP


def test_a_click_arrives_although_the_store_cannot_keep_it(clicked, monkeypatch):
    url = clicked.links.click_url(SHOP, clicked.key)

    def locked():
        raise Transient("state store: database is locked")

    monkeypatch.setattr(clicked.state, "transaction", locked)

    assert clicked.clicks(url).url == SHOP


def test_an_open_counts_once_it_is_judged(clicked):
    url = clicked.links.open_url(clicked.key)
    asked = Request(clicked.sent_at + timedelta(seconds=60), agent=BROWSER)

    standing = opened_by(clicked.state, clicked.links, url.rsplit("/", 1)[1], asked)

    assert standing is Standing.GENUINE
    assert clicked.settles() == 1
    assert clicked.facts() == [(clicked.key, "a", "opened")]


def test_a_run_killed_between_numbering_and_writing_writes_once(clicked, monkeypatch):
    clicked.clicks(clicked.links.click_url(SHOP, clicked.key))

    class Killed(Exception):
        pass

    append = DeltaLake.append

    def dies_after(self, *args, **options):
        append(self, *args, **options)
        raise Killed

    def dies_before(self, *args, **options):
        raise Killed

    for dies in (dies_before, dies_after):
        monkeypatch.setattr(DeltaLake, "append", dies)
        with pytest.raises(Killed):
            clicked.settles()
    monkeypatch.setattr(DeltaLake, "append", append)
    clicked.settles()

    assert clicked.facts() == [(clicked.key, "a", "clicked")]
