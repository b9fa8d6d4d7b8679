"""A withdrawal counts from its commit on, whichever way it came: the next claim refuses."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from regulars.app import open_app
from regulars.govern.consent.service import record_words, set_consent
from regulars.govern.consent.word import Word
from regulars.reach.delivery.ledger.pace import Pace
from regulars.reach.delivery.runs import Member, Run
from regulars.reach.delivery.service import enrol, tick, why
from regulars.reach.links.tokens import Purpose
from regulars.reach.standing.gate import Gate
from regulars.serve.cli import main as cli
from regulars.settings import Policy, Sending
from regulars.testing import FakeProvider

EVERYBODY = [f"c{n:02}" for n in range(12)]
RUN = Run("campaign/spring/all", "spring", topic="news")
WINDOW = 2


@pytest.fixture
def shop(tmp_path, make_shop, serve):
    folder = tmp_path / "shop"
    make_shop.empty(folder)
    with serve(folder) as running:
        now = datetime.now(UTC)
        granted = now - timedelta(days=1)
        words = [Word(name, "marketing", "granted", granted) for name in EVERYBODY]
        set_consent(running.home.state, words, actor="test", now=now)
        yield running


def sent(shop, during, *, state=None):
    """Tick over everybody in windows of two; `during` happens while the first is on its way."""
    state, now, done = state or shop.home.state, datetime.now(UTC), []

    def watch(_contact):
        if not done:
            done.append(True)
            during()

    enrol(state, RUN, [Member(c, "send", "chosen", channel="sms") for c in EVERYBODY], now=now)
    provider = FakeProvider(shop.folder / "deliveries", keyed=True, watch=watch)
    # Never quiet, so that the test does not depend on when it is run.
    gate = Gate(Policy(quiet_from=0, quiet_to=0), zone="Asia/Shanghai")
    pace = Pace(Sending(window=WINDOW), is_serial=True)
    tick(state, now=now + timedelta(minutes=1), channels={"sms": provider}, gate=gate, pace=pace)
    return {customer for _, customer in provider.deliveries()}


def link(shop, customer, purpose):
    parts = ("sms", "") if purpose is Purpose.UNSUBSCRIBE else ("",)
    return shop.url + f"/{purpose[0]}/{shop.home.links.signer.seal(purpose, customer, *parts)}"


def by_one_click(shop, customer):
    httpx.post(
        link(shop, customer, Purpose.UNSUBSCRIBE), data={"List-Unsubscribe": "One-Click"}
    ).raise_for_status()


def by_page(shop, customer):
    form = {"shown": ["channel:sms", "channel:app"], "on": ["channel:app"], "do": "save"}
    httpx.post(link(shop, customer, Purpose.PREFERENCES), data=form).raise_for_status()


def by_topic(shop, customer):
    form = {"shown": ["topic:news"], "do": "save"}
    httpx.post(link(shop, customer, Purpose.PREFERENCES), data=form).raise_for_status()


def by_stopping_all(shop, customer):
    form = {"do": "stop_all"}
    httpx.post(link(shop, customer, Purpose.PREFERENCES), data=form).raise_for_status()


def by_api(shop, customer):
    client = shop.client("marketer")
    client.post(
        f"/api/govern/consent/{customer}",
        json={"status": "withdrawn", "channel": "sms"},
        headers={"x-csrf-token": shop.csrf(client)},
    ).raise_for_status()


def by_command(shop, customer):
    with pytest.raises(SystemExit):
        cli.main([
            "govern",
            "consent",
            "set",
            customer,
            "--status",
            "withdrawn",
            "--dir",
            str(shop.folder),
        ])


def by_suppression(shop, customer):
    with pytest.raises(SystemExit):
        cli.main(["govern", "suppress", customer, "--dir", str(shop.folder)])


WAYS = [by_one_click, by_page, by_topic, by_stopping_all, by_api, by_command, by_suppression]


@pytest.mark.parametrize("way", WAYS)
def test_the_next_claim_after_a_withdrawal_refuses(shop, way):
    leaving = EVERYBODY[::2]

    reached = sent(shop, lambda: [way(shop, customer) for customer in leaving])

    still = [c for c in leaving if c in reached]
    assert len(still) <= WINDOW, "only what was claimed before may still go out"
    assert set(EVERYBODY[1::2]) <= reached
    refused = [c for c in leaving if c not in reached]
    reasons = {why(shop.home.state, c, limit=1)[0].reason for c in refused}
    assert reasons <= {"consent_withdrawn", "suppressed", "topic_left"}
    assert len(refused) >= len(leaving) - WINDOW


def test_a_link_scanner_that_opens_every_link_stops_nobody(shop):
    def scans():
        for customer in EVERYBODY:
            for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
                for method in ("HEAD", "GET"):
                    httpx.request(method, link(shop, customer, purpose))

    assert sent(shop, scans) == set(EVERYBODY)


def test_a_withdrawal_noted_and_not_committed_is_caught(shop):
    """Planted: the page answers before its commit. The claim goes by what is committed."""

    def answers_too_early():
        other = open_app(shop.folder, workers=1).state
        now = datetime.now(UTC)
        words = [Word(c, "marketing", "withdrawn", now, channel="sms") for c in EVERYBODY]
        with pytest.raises(RuntimeError), other.transaction() as opened:
            record_words(opened, words, actor="test", now=now)
            raise RuntimeError

    assert sent(shop, answers_too_early) == set(EVERYBODY)
