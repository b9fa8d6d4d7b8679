"""Places on pages: a publishable key lets a page ask for one decision and tell what came of it."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.measure.kept_experiments import run_experiment
from tests.serve.test_http_decide import perturb

from regulars.app import open_app
from regulars.decide.online.log import FOLDER, rows_in
from regulars.decide.online.service import export_decisions
from regulars.govern.access import ANYONE, PUBLISHED
from regulars.govern.access.publishable_keys.service import (
    add_publishable_key,
    list_publishable_keys,
    revoke_publishable_key,
)
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.measure.experiments.keeping.service import exposed_rows
from regulars.ports.channels import Contact, Message
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.reach.links.vouching import secret_of, vouch
from regulars.records.identifiers import COOKIE, customer_id_of
from regulars.serve.http.door.role_matrix import ROLE_MATRIX
from regulars.serve.public.slots.door import ASKS_A_MINUTE
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import link

ORIGIN = "https://shop.example"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150"
NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
SHY = "c005"
SETTINGS = """
[channels.home]
via = "onsite"
cost = "0.01"
[loop]
global_holdout = 0.1
campaign_holdout = 0.1
"""


def content(offer, text, *, uses=(), locale="zh-CN", **more):
    variant = Variant(subject="今日优惠", text=text, link="https://shop.example/sale", **more)
    return Content(f"home.{offer}", "home", "marketing", {locale: variant}, uses=uses)


@pytest.fixture(name="made", scope="module")
def a_shop_with_a_place_on_its_page(make_shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slots") / "shop"
    app = make_shop.filled(folder)
    with (folder / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    for one in (
        content("news", "新茶到店"),
        content("off10", "{{ customer.name }}，九折券", uses=("customer.name",)),
    ):
        put_content(app.state, one, actor="test", at=NOW)
    words = [Word(f"c{n:03}", "marketing", "granted", NOW) for n in range(60)]
    words.append(Word(SHY, "profiling", "denied", NOW))
    set_consent(app.state, words, actor="test", now=NOW)
    app.state.close()
    return folder


@pytest.fixture(name="folder")
def a_shop_of_its_own(made, tmp_path):
    return shutil.copytree(made, tmp_path / "shop")


class Page:
    """A page of the shop: what its script sends, for visitors of its own who agreed."""

    def __init__(self, server, name="site", *, origin=ORIGIN):
        self.folder, state = server.folder, server.home.state
        made = add_publishable_key(state, name=name, origins=[ORIGIN], actor="admin", now=NOW)
        self.key, self.visitors = made.key, [f"{name}-visitor-{n:08}" for n in range(40)]
        nodes = [customer_id_of(COOKIE, one) for one in self.visitors]
        words = [Word(one, "marketing", "granted", NOW) for one in nodes]
        set_consent(state, words, actor="test", now=NOW)
        self.client = server.client(None)
        self.client.headers = {"origin": origin, "user-agent": BROWSER}

    def send(self, path, body, **headers):
        address = f"/api/reach/slot/{self.key}/{path}"
        return self.client.post(address, content=json.dumps(body), headers=headers)

    def ask(self, visitor="", **more):
        answer = self.send("ask", {"slot": "home", "visitor": visitor} | more)
        assert answer.status_code == 200, answer.text
        return answer.json()["shown"]

    def vouched(self, customer_id, *, moment=NOW, **changes):
        seconds = int(moment.timestamp())
        signature = vouch(secret_of(self.folder, self.key), customer_id, at=seconds)
        return {"id": customer_id, "at": seconds, "signature": signature} | changes

    def ask_as(self, customer_id):
        return self.ask(customer=self.vouched(customer_id))

    def tell(self, ticket, what="exposed"):
        answer = self.send("tell", {"ticket": ticket, "what": what})
        return answer.json()["counts"] if answer.status_code == 200 else answer.status_code


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture(name="clock")
def a_clock_that_stands():
    return Clock()


@pytest.fixture(name="server", scope="module")
def a_server(made, serve, tmp_path_factory):
    folder = shutil.copytree(made, tmp_path_factory.mktemp("slots") / "served")
    with serve(folder, clock=lambda: NOW) as running:
        yield running


@pytest.fixture(name="page")
def a_page(server, request):
    return Page(server, re.sub(r"\W", "-", request.node.name)[-40:].strip("_-"))


@pytest.fixture(name="alone")
def a_page_of_a_shop_of_its_own(folder, serve, clock):
    with serve(folder, clock=clock) as running:
        page = Page(running)
        page.server = running
        yield page


def shown_to(page):
    """A visitor who is shown something, and what."""
    return next((one, shown) for one in page.visitors if (shown := page.ask(one)))


def rows_on_disk(server):
    server.home.decider.log.flush()
    return list(rows_in(server.folder / FOLDER))


def test_a_visitor_is_shown_an_offer_seen_once_and_it_reaches_the_lake(alone):
    page, server = alone, alone.server
    visitor, shown = shown_to(page)
    rows_on_disk(server)

    seen = [page.tell(shown["ticket"]) for _ in range(2)]
    clicked = [page.tell(shown["ticket"], "clicked") for _ in range(2)]

    assert shown["title"] == "今日优惠"
    assert shown["link"].startswith("https://shop.example/sale?utm_source=")
    assert page.ask(visitor) | {"ticket": ""} == shown | {"ticket": ""}
    assert (seen, clicked) == ([True, False], [True, False])
    rows_on_disk(server)
    app = open_app(server.folder)
    export_decisions(server.folder, app.lake)
    engine = app.engine
    [exposed] = engine.rows(engine.table("online_exposures"))
    [response] = engine.rows(engine.table("online_responses"))
    decisions = {row["decision_id"]: row for row in engine.rows(engine.table("online_decisions"))}
    decided = decisions[exposed["decision_id"]]
    assert (decided["verdict"], decided["channel"]) == ("send", "home")
    assert decided["customer_id"] == customer_id_of(COOKIE, visitor)
    assert (response["decision_id"], response["kind"]) == (exposed["decision_id"], "clicked")


def test_what_is_not_on_disk_is_not_seen_and_not_clicked(page, server, monkeypatch):
    _, shown = shown_to(page)
    before = rows_on_disk(server)
    monkeypatch.setattr(server.home.decider.log, "_on_disk", {})

    assert page.tell(shown["ticket"]) is False
    assert page.tell(shown["ticket"], "clicked") is False
    assert rows_on_disk(server) == before


def test_many_tellings_at_once_count_once(page, server):
    _, shown = shown_to(page)
    before = len(rows_on_disk(server))

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(page.tell, [shown["ticket"]] * 24))

    assert told.count(True) == 1
    assert "exposed" in rows_on_disk(server)[-1]
    assert len(rows_on_disk(server)) == before + 1


def test_what_was_put_away_is_not_shown_again_that_day_not_after_a_restart_either(
    folder, serve, clock
):
    with serve(folder, clock=clock) as server:
        page = Page(server)
        visitor, shown = shown_to(page)
        rows_on_disk(server)

        assert page.tell(shown["ticket"], "dismissed") is True
        assert page.ask(visitor) is None
    with serve(folder, clock=clock) as again:
        assert Page(again, "other").ask(visitor) is None


def test_what_was_put_away_stays_away_when_a_new_wording_makes_another_decision(alone, clock):
    page, server = alone, alone.server
    visitor, shown = shown_to(page)
    other = next(one for one in page.visitors if one != visitor and page.ask(one))
    rows_on_disk(server)
    assert page.tell(shown["ticket"], "dismissed") is True
    put_content(server.home.state, content("off10", "九折券"), actor="test", at=NOW)
    clock.now = NOW + timedelta(minutes=2)

    before = len(rows_on_disk(server))
    page.ask(other)
    changed = len(rows_on_disk(server))
    again = page.ask(visitor)

    assert changed == before + 1, "the new wording makes another decision"
    assert again is None
    assert len(rows_on_disk(server)) == changed, "nothing is decided where it was put away"
    clock.now = NOW + timedelta(days=1)
    page.ask(visitor)
    assert len(rows_on_disk(server)) == changed + 1, "a new day begins anew"


def exposed_to(server, name="coupon"):
    server.home.exposing.flush()
    return {row["customer_id"]: row["variant"] for row in exposed_rows(server.home.state, name)}


def test_an_offer_no_experiment_is_about_goes_out_as_before_and_exposes_nobody(
    folder, serve, clock
):
    found = []
    for is_running in (False, True):
        if is_running:
            run_experiment(open_app(folder).state, now=NOW)
        with serve(folder, clock=clock) as server:
            page = Page(server, f"site{is_running}")
            page.visitors = [f"visitor-of-both-{n:08}" for n in range(40)]
            nodes = [customer_id_of(COOKIE, one) for one in page.visitors]
            words = [Word(one, "marketing", "granted", NOW) for one in nodes]
            set_consent(server.home.state, words, actor="test", now=NOW)
            found.append([shown and shown["text"] for shown in map(page.ask, page.visitors)])
            assert exposed_to(server) == {}

    assert found[0] == found[1]
    assert "新茶到店" in found[1]


def test_who_is_vouched_for_keeps_her_variant_and_only_who_may_be_shown_something_is_exposed(alone):
    page, server = alone, alone.server
    run_experiment(server.home.state, now=NOW)
    refused = Word("c001", "marketing", "denied", NOW)
    set_consent(server.home.state, refused, actor="test", now=NOW)

    shown = {f"c{n:03}": page.ask_as(f"c{n:03}") for n in range(60)}

    exposed = exposed_to(server)
    dealt = server.home.exposing.dealt("c001", ["off10"], now=NOW)
    assert set(exposed.values()) == {"control", "coupon"}
    assert dealt.exposed("c001", ["off10"]), "but for her refusal she would be"
    assert "c001" not in exposed
    control = [who for who, variant in exposed.items() if variant == "control"]
    assert [who for who in control if shown[who]] == []
    assert any(shown[who] and "九折券" in shown[who]["text"] for who in exposed)


def test_a_holdout_and_who_agreed_to_nothing_see_what_everybody_sees(page, server):
    stranger = page.ask("a-visitor-who-never-agreed")
    held = [one for one in page.visitors if page.ask(one) is None]

    rows = {row.get("customer_id"): row for row in rows_on_disk(server)}
    assert stranger is None
    nobody = rows[customer_id_of(COOKIE, "a-visitor-who-never-agreed")]
    assert (nobody["verdict"], nobody["candidates"]) == ("skip", {})
    assert "holdout" in {rows[customer_id_of(COOKIE, one)]["verdict"] for one in held}


LEFT_ALONE = (
    {"dnt": "1"},
    {"sec-gpc": "1"},
    {"user-agent": "Googlebot/2.1"},
    {"user-agent": "curl/8.1"},
    {"user-agent": ""},
    {"sec-purpose": "prefetch;prerender"},
)


def test_nothing_is_decided_for_programs_nor_for_who_is_not_to_be_followed(page, server):
    visitor, shown = shown_to(page)
    before = len(rows_on_disk(server))
    asked, told = (
        {"slot": "home", "visitor": visitor},
        {"ticket": shown["ticket"], "what": "exposed"},
    )

    for header in LEFT_ALONE:
        assert page.send("ask", asked, **header).json() == {"shown": None}, header
        assert page.send("tell", told, **header).json() == {"counts": False}, header
    assert len(rows_on_disk(server)) == before
    assert page.send("tell", told).json() == {"counts": True}


def test_a_customer_vouched_for_is_addressed_and_nobody_else_is(page, server):
    by_customer = {f"c{n:03}": page.ask_as(f"c{n:03}") for n in range(60)}
    personal = {who for who, one in by_customer.items() if one and "九折券" in one["text"]}

    assert personal
    assert all("王小" in by_customer[who]["text"] for who in personal - {"c003"})
    assert {shown["text"] for one in page.visitors if (shown := page.ask(one))} == {"新茶到店"}


@pytest.mark.parametrize(
    ("changes", "moment"),
    [
        ({"id": "c008"}, NOW),
        ({"signature": "0" * 64}, NOW),
        ({"signature": "密"}, NOW),
        ({"at": int(NOW.timestamp()) + 1}, NOW),
        ({}, NOW - timedelta(minutes=61)),
        ({}, NOW + timedelta(minutes=6)),
    ],
)
def test_who_was_not_vouched_for_lately_is_refused(page, changes, moment):
    customer = page.vouched("c007", moment=moment, **changes)

    answer = page.send("ask", {"slot": "home", "customer": customer})

    assert answer.status_code == 403
    assert "sign" in answer.json()["error"]["message"]


def test_a_signature_for_one_key_is_nothing_to_another(page, server):
    other = Page(server, "another-site")

    answer = other.send("ask", {"slot": "home", "customer": page.vouched("c007")})

    assert answer.status_code == 403


def test_the_browser_of_a_customer_gets_nothing_that_tells_of_the_customer(
    folder, serve, clock, make_shop
):
    joined(open_app(folder), "the-browser-of-c007", "c007")
    found = []
    for change in (1, 2):
        perturb(folder, change, make_shop, who="c007")
        with serve(folder, clock=clock) as server:
            page = Page(server, f"site{change}")
            shown = page.ask("the-browser-of-c007")
            found.append(shown and shown | {"ticket": ""})
            [row] = rows_on_disk(server)[-1:]
            assert (row["customer_id"], row["features"]) == ("c007", {})
            page.ask_as("c007")
            assert rows_on_disk(server)[-1]["features"], "who is vouched for is looked at"

    assert found[0] == found[1]


def joined(app, visitor, customer_id):
    evidence = Evidence("2026-03-01T00:00:00+00:00", "e1")
    pair = (Identifier(COOKIE, visitor), Identifier("login", customer_id), evidence)
    assert link(app.state, [pair]) == {"": 1}


def test_what_a_campaign_left_waits_for_who_is_vouched_for_and_is_shown_once(alone):
    page = alone
    message = Message(address="c007", subject="留给你的", text="到店礼", link=f"{ORIGIN}/gift")
    with page.server.home.holding() as app:
        app.channels["home"].send([
            Contact("k1", "c007", "tea", "", "home", Decimal(0), NOW, message=message)
        ])

    shown = page.ask_as("c007")

    assert (shown["title"], shown["link"]) == ("留给你的", f"{ORIGIN}/gift")
    assert [page.tell(shown["ticket"]) for _ in range(2)] == [True, False]
    assert (page.ask_as("c007") or {"title": ""})["title"] != "留给你的"


def test_nobody_but_the_customer_gets_what_waits_for_her(alone):
    page = alone
    message = Message(address="c007", text="到店礼")
    with page.server.home.holding() as app:
        app.channels["home"].send([
            Contact("k1", "c007", "tea", "", "home", Decimal(0), NOW, message=message)
        ])
    joined(open_app(page.folder), page.visitors[0], "c007")

    others = [page.ask(page.visitors[0]), page.ask_as("c008")]

    assert "到店礼" not in {shown["text"] for shown in others if shown}


def test_who_lets_no_feature_be_used_gets_an_answer_that_reads_none(
    folder, serve, clock, make_shop
):
    found = []
    for change in (1, 2):
        perturb(folder, change, make_shop, who=SHY)
        with serve(folder, clock=clock) as server:
            page = Page(server, f"site{change}")
            shown = page.ask_as(SHY)
            found.append((shown and shown["text"], rows_on_disk(server)[-1]["features"]))

    assert found[0] == found[1]
    assert found[0][1] == {}


def test_pages_of_other_origins_are_refused_with_a_reason_they_cannot_read(server):
    page = Page(server, "foreign", origin="https://foreign.example")
    answers = [
        page.send("ask", {"slot": "home", "visitor": page.visitors[0]}),
        page.send(
            "ask", {"slot": "home", "visitor": page.visitors[0]}, origin=f"{ORIGIN}.evil.example"
        ),
        page.send("ask", {"slot": "home", "visitor": page.visitors[0]}, origin="null"),
        page.client.options(f"/api/reach/slot/{page.key}/ask"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert all("access-control-allow-origin" not in answer.headers for answer in answers)
    assert "https://foreign.example" in answers[0].json()["error"]["message"]
    del page.client.headers["origin"]
    none = page.send("ask", {"slot": "home", "visitor": page.visitors[0]})
    assert (none.status_code, "no Origin" in none.text) == (403, True)


def test_pages_of_the_keys_origin_may_read_every_answer(page):
    asked = page.send("ask", {"slot": "home", "visitor": page.visitors[0]})
    wrong = page.send("ask", {"slot": "nowhere", "visitor": page.visitors[0]})
    before = page.client.options(f"/api/reach/slot/{page.key}/tell")

    for answer in (asked, wrong, before):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers
    assert (before.status_code, before.headers["access-control-allow-methods"]) == (204, "POST")
    assert (wrong.status_code, "onsite" in wrong.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("ask", {"slot": "sms", "visitor": "a-visitor-of-pages"}, "sms"),
        ("ask", {"slot": "home"}, "visitor"),
        ("ask", {"slot": "home", "visitor": "7"}, "16 to 128"),
        (
            "ask",
            {"slot": "home", "visitor": "a-visitor-of-pages", "customer_id": "c007"},
            "customer_id",
        ),
        ("ask", {"slot": "home", "visitor": "a-visitor-of-pages", "offers": ["off10"]}, "offers"),
        ("ask", {"slot": "home", "visitor": "v" * 5000}, "4096"),
        ("ask", {"slot": "home", "customer": {"id": "c007", "at": -1, "signature": ""}}, "at"),
        ("ask", {"slot": "home", "customer": {"id": "c7", "at": 10**400, "signature": ""}}, "at"),
        ("ask", {"slot": "home", "customer": {"id": "c7", "at": 2**63, "signature": ""}}, "at"),
        ("ask", [], "array"),
        ("tell", {"ticket": "t", "what": "bought"}, "exposed, clicked, dismissed"),
    ],
)
def test_what_a_page_may_not_ask_is_told(page, path, body, says):
    answer = page.send(path, body)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_ticket_of_somebody_else_or_of_yesterday_counts_nothing(alone, clock):
    page, server = alone, alone.server
    _, shown = shown_to(page)
    rows_on_disk(server)
    decision = next(row["decision_id"] for row in rows_on_disk(server) if row["verdict"] == "send")
    other = Page(server, "other")

    assert [page.tell(one) for one in (decision, shown["ticket"][:-2] + "AA", "")] == [403] * 3
    assert other.tell(shown["ticket"]) == 403
    clock.now = NOW + timedelta(hours=25)
    assert page.tell(shown["ticket"]) == 403
    assert not [row for row in rows_on_disk(server) if "exposed" in row]


def test_a_revoked_key_is_refused_from_the_next_request_on(page, server):
    _, shown = shown_to(page)
    [name] = [one.name for one in list_publishable_keys(server.home.state) if one.key == page.key]
    revoke_publishable_key(server.home.state, name=name, actor="admin", now=NOW)

    answers = [page.send("ask", {}), page.send("tell", {})]
    page.key = "pk_guess"

    assert [answer.status_code for answer in [*answers, page.send("ask", {})]] == [401] * 3
    assert page.tell(shown["ticket"]) == 401


def test_an_address_that_asks_too_often_waits_and_then_goes_on(alone, clock):
    page = alone

    def status():
        return page.send("ask", {"slot": "home", "visitor": page.visitors[0]}).status_code

    found = [status() for _ in range(ASKS_A_MINUTE + 1)]

    assert (set(found[:-1]), found[-1]) == ({200}, 429)
    clock.now = NOW + timedelta(minutes=1)
    assert status() == 200


def test_the_key_opens_no_other_door(page, server):
    """Every route of the matrix, and the doors of events, however the key is sent."""
    sent = {"authorization": f"Bearer {page.key}", "x-api-key": page.key, "origin": ORIGIN}
    nobody = {"origin": ORIGIN}
    found, client = {}, server.client(None)
    for route, least in ROLE_MATRIX.least_by_route.items():
        method, path = route.split(" ")
        if least in {PUBLISHED, ANYONE}:
            continue
        for name in ("{token}", "{key}", "{channel}"):
            path = path.replace(name, page.key)
        path = re.sub(r"{\w+}", "1", path)
        ways = [
            client.request(method, path, headers=one, params=asked).status_code
            for one, asked in ((nobody, {}), (sent, {"key": page.key, "writeKey": page.key}))
        ]
        found[route] = ways

    assert len(found) > 300
    assert {route: ways for route, ways in found.items() if ways[0] != ways[1]} == {}
    assert {ways[1] for ways in found.values()} <= {303, 400, 401, 403, 404}


def test_the_script_is_small_and_kept_by_browsers_until_it_changes(server):
    client = server.client(None)
    first = client.get("/onsite.js", headers={"origin": "https://any.example"})
    again = client.get("/onsite.js", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    other = client.get("/onsite.js?lang=en&workspace=shop", headers={"if-none-match": '"x"'})

    assert len(first.content) < 6 * 1024
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "public, max-age=3600"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (other.status_code, "set-cookie" in other.headers) == (200, False)
    assert "innerHTML" not in first.text
