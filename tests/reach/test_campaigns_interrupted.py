"""A pause and an end hold whatever happens meanwhile: a hand-over, a trigger, a long enrolment."""

from datetime import timedelta

import pytest
from tests.reach.campaign_shop import CampaignShop, people

from regulars.errors import NotAllowed
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.running import service as running
from regulars.reach.campaigns.triggers.service import Trigger, take_left, take_triggers
from regulars.reach.delivery import service as delivery
from regulars.reach.delivery.ledger.service import Ledger
from regulars.testing import Fault

ON_BOTH = True
RECEIPT = {"message_class": "transactional", "audience": "trigger"}


@pytest.fixture
def new_shop(tmp_path, databases):
    """Make shops, each with an empty state store."""
    made = []

    def make(**policy):
        folder = tmp_path / f"shop-{len(made)}"
        folder.mkdir()
        url = databases.take(folder)
        made.append((CampaignShop(folder, url=url, **policy), url))
        return made[-1][0]

    yield make
    for shop, url in made:
        shop.state.close()
        databases.give(url)


@pytest.fixture
def shop(new_shop):
    """A shop whose running campaign is triggered."""
    shop = new_shop(transactional_approval_required=False)
    shop.put([], **RECEIPT)
    shop.start([])
    return shop


@pytest.fixture
def long_shop(new_shop, monkeypatch):
    """A shop whose audience is enrolled in many batches."""
    monkeypatch.setattr(delivery, "ENROLLED_AT_ONCE", 50)
    shop = new_shop()
    shop.ready(people(400), holdout=0)
    return shop


def noted(shop, *customers):
    """Triggers as an earlier version left them that died between noting and enrolling them."""
    keys = [one.key for one in told(shop, *customers)]
    shop.run("DELETE FROM ledger WHERE key = :key", *[{"key": key} for key in keys])
    shop.run(
        """UPDATE runs SET audience = (SELECT COUNT(*) FROM ledger AS l
                                       WHERE l.run_id = runs.run_id AND l.step = runs.step)
           WHERE turn = :turn""",
        {"turn": 0},
    )


def enrolled_late(shop):
    return take_left(shop.state, "tea", settings=shop.settings, now=shop.now)


def paused(shop):
    running.pause(shop.state, "tea", reason="price is wrong", actor="mei", now=shop.now)


def ended(shop):
    running.stop_campaign(shop.state, "tea", reason="wrong shop", actor="mei", now=shop.now)


def told(shop, *customers):
    given = [Trigger("tea", f"order of {one}", one) for one in customers]
    return take_triggers(shop.state, given, settings=shop.settings, now=shop.now)


def meanwhile(monkeypatch, owner, name, happens):
    """Let something happen right before the first call."""
    real, waits = getattr(owner, name), [happens]

    def interrupted(*args, **more):
        while waits:
            waits.pop()()
        return real(*args, **more)

    monkeypatch.setattr(owner, name, interrupted)


def before_writing(monkeypatch, shop, happenings):
    """Let things happen right before certain shared write transactions, by their number."""
    real, number = shop.state.sharing, iter(range(1, 1_000_000))

    def interrupted():
        happenings.get(next(number), lambda: None)()
        return real()

    monkeypatch.setattr(shop.state, "sharing", interrupted)


def throttled_while(shop, monkeypatch, happens):
    """Five triggers are in the air when something happens; the provider is too busy for them."""
    told(shop, *people(5))
    shop.provider._faults = {1: Fault.BUSY}
    meanwhile(monkeypatch, shop.provider, "send", lambda: happens(shop))
    shop.tick()


def reasons(shop):
    [counted] = running.count(shop.state, "tea")
    assert counted.is_balanced
    return {name: number for name, number in counted.reasons.items() if "holdout" not in name}


def test_who_was_throttled_while_the_campaign_ended_is_not_contacted_later(shop, monkeypatch):
    throttled_while(shop, monkeypatch, ended)
    assert reasons(shop) == {"deferred/too_many_requests": 5}

    shop.later(minutes=5)
    shop.tick()

    assert shop.delivered() == []
    assert reasons(shop) == {"skipped/campaign_stopped": 5}


def test_an_ended_campaign_gives_who_was_throttled_a_fate_with_the_next_pass(shop, monkeypatch):
    throttled_while(shop, monkeypatch, ended)
    shop.advance()

    assert reasons(shop) == {"skipped/campaign_stopped": 5}
    assert {row["cancelled"] for row in shop.all("SELECT cancelled FROM runs")} == {
        "campaign_stopped"
    }


def test_an_ended_campaign_is_looked_through_until_nothing_is_in_the_air(shop, monkeypatch):
    told(shop, *people(5))
    meanwhile(monkeypatch, shop.provider, "send", lambda: (ended(shop), shop.advance()))
    shop.provider._faults = {1: Fault.BUSY}
    shop.tick()
    shop.advance()

    assert reasons(shop) == {"skipped/campaign_stopped": 5}


def test_who_was_throttled_while_the_campaign_paused_waits_for_its_resumption(shop, monkeypatch):
    throttled_while(shop, monkeypatch, paused)
    shop.later(minutes=5)
    shop.tick()
    assert shop.delivered() == []
    assert reasons(shop) == {"deferred/campaign_paused": 5}

    running.resume(shop.state, "tea", actor="mei", now=shop.now)
    shop.go(hours=1)
    assert shop.delivered() == people(5)


def test_a_trigger_noted_before_a_pause_and_enrolled_after_it_is_held(shop):
    noted(shop, "ann", "bob")
    paused(shop)
    assert enrolled_late(shop) == 2
    shop.tick()
    assert shop.delivered() == []
    assert reasons(shop) == {"deferred/campaign_paused": 2}

    shop.go(minutes=10)
    running.resume(shop.state, "tea", actor="mei", now=shop.now)
    shop.go(minutes=10)
    assert shop.delivered() == ["ann", "bob"]


@pytest.mark.parametrize("was_sent_to", [False, True], ids=["nobody before", "somebody before"])
def test_a_trigger_noted_before_the_end_and_enrolled_after_it_is_skipped(shop, was_sent_to):
    before = ["carl"] if was_sent_to else []
    told(shop, *before)
    shop.go()
    noted(shop, "ann", "bob")
    ended(shop)
    shop.advance()
    assert enrolled_late(shop) == 2
    shop.go()

    assert shop.delivered() == before
    assert reasons(shop)["skipped/campaign_stopped"] == 2
    assert isinstance(told(shop, "dora")[0], NotAllowed)


def test_a_trigger_enrolled_after_the_window_has_closed_is_skipped(new_shop):
    shop = new_shop(transactional_approval_required=False)
    closes = shop.now + timedelta(hours=1)
    shop.put([], **RECEIPT, window={"not_after": closes.isoformat()})
    shop.start([])
    noted(shop, "ann")
    shop.later(hours=2)
    shop.advance()
    assert enrolled_late(shop) == 1
    shop.tick()

    assert shop.row().state is CampaignState.FINISHED
    assert shop.delivered() == []
    assert reasons(shop) == {"skipped/window_closed": 1}


def sent_after(shop, monkeypatch, happens):
    """Customers who got something although it happened after the first batch of their enrolment."""
    before_writing(monkeypatch, shop, {3: lambda: happens(shop), 6: shop.tick})
    shop.advance()
    return len(shop.delivered())


def test_a_pause_holds_what_a_long_enrolment_still_writes_down(long_shop, monkeypatch):
    assert sent_after(long_shop, monkeypatch, paused) == 0

    running.resume(long_shop.state, "tea", actor="mei", now=long_shop.now)
    long_shop.go(hours=1)
    contacted = [one for one, arm in long_shop.assignments().items() if arm == "contact"]
    assert long_shop.delivered() == sorted(contacted)


def test_the_end_skips_what_a_long_enrolment_still_writes_down(long_shop, monkeypatch):
    assert sent_after(long_shop, monkeypatch, ended) == 0
    long_shop.go()

    assert long_shop.delivered() == []
    assert set(reasons(long_shop)) == {"skipped/campaign_stopped"}


@pytest.mark.parametrize("happens", [paused, ended])
def test_a_claim_that_asks_only_the_rules_of_contact_would_be_caught(
    long_shop, monkeypatch, happens
):
    monkeypatch.setattr(
        Ledger,
        "_judge",
        lambda ledger, opened, _rows, asks, now: ledger.gate.judge(opened, asks, now=now),
    )

    assert sent_after(long_shop, monkeypatch, happens) > 0


def test_the_end_reaches_who_a_crash_left_out_on_each_channel_with_its_own_words(
    new_shop, monkeypatch
):
    shop = new_shop()
    sms, app = people(40)[:20], people(40)[20:]
    shop.granted(sms)
    shop.granted(app, channel="app")
    content = {"sms": "tea-short@1", "app": "tea-long@2"}
    shop.put(people(40), channel=["sms", "app"], content=content)
    shop.approve(shop.submit())
    shop.start(people(40))
    real, parts = running.enrol, iter([True, True])

    def dies_in_the_last_part(*args, **more):
        if not next(parts, False):
            raise KeyboardInterrupt
        return real(*args, **more)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(running, "enrol", dies_in_the_last_part)
        shop.advance()
    ended(shop)
    shop.go()

    [counted] = running.count(shop.state, "tea")
    assert counted.is_balanced
    assert set(counted.fates) == {"skipped", "holdout"}
    assert shop.delivered() == []
