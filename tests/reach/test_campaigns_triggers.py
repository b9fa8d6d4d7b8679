"""Triggers: each happening is one contact, however often it is told and whatever dies in between."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.reach.campaign_shop import CampaignShop, people

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.reach.campaigns.running import service as running
from regulars.reach.campaigns.triggers import service as triggers
from regulars.reach.campaigns.triggers.service import Taken, Trigger, take_left, take_triggers
from regulars.serve.sending.desk import TriggerDesk

RECEIPT = {"message_class": "transactional", "audience": "trigger"}


@pytest.fixture
def shop(tmp_path):
    shop = CampaignShop(tmp_path, transactional_approval_required=False)
    shop.put([], **RECEIPT)
    shop.start([])
    return shop


def told(shop, *happened):
    given = [Trigger("tea", one, customer) for one, customer in happened]
    return take_triggers(shop.state, given, settings=shop.settings, now=shop.now)


def test_what_happened_is_sent_once(shop):
    first = told(shop, ("order-1", "ann"), ("order-2", "bob"))
    again = told(shop, ("order-1", "ann"))
    shop.go()
    shop.go()

    assert shop.delivered() == ["ann", "bob"]
    assert [one.is_new for one in (*first, *again)] == [True, True, False]
    assert again[0].key == first[0].key


def test_a_cost_that_cannot_be_counted_spoils_no_other_campaign(shop):
    shop.put([], **(RECEIPT | {"id": "milk", "channel": "app"}))
    shop.start([], name="milk")
    odd = replace(shop.settings.channels["app"], cost=Decimal("0.001"))
    settings = replace(shop.settings, channels=shop.settings.channels | {"app": odd})

    given = [Trigger("milk", "order-1", "ann"), Trigger("tea", "order-1", "ann")]
    first, second = take_triggers(shop.state, given, settings=settings, now=shop.now)
    shop.go()

    assert "must be a whole number of cents" in str(first)
    assert second.is_new
    assert shop.delivered() == ["ann"]


def test_the_same_customer_may_be_told_of_two_things_at_once(shop):
    told(shop, ("order-1", "ann"), ("order-2", "ann"), ("order-3", "ann"), ("order-1", "ann"))
    shop.go()

    assert shop.delivered() == ["ann", "ann", "ann"]


def test_nobody_is_held_out_and_consent_to_marketing_is_not_asked(shop):
    told(shop, *[(f"order-{one}", one) for one in people(300)])
    shop.go()

    assert len(shop.delivered()) == 300


def test_one_bad_trigger_does_not_spoil_the_others(shop):
    found = take_triggers(
        shop.state,
        [
            Trigger("tea", "order-1", "ann"),
            Trigger("milk", "order-1", "ann"),
            Trigger("tea", "", "ann"),
            Trigger("tea", "order-2", "a\nb"),
            Trigger("tea", "order-3", "bob", {str(n): 1 for n in range(60)}),
            Trigger("tea", "order-4", "bob", {"text": "x" * 5000}),
            Trigger("tea", "order-5", "bob"),
        ],
        settings=shop.settings,
        now=shop.now,
    )
    shop.go()

    assert [type(one) for one in found] == [
        Taken,
        UnknownName,
        InputError,
        InputError,
        InputError,
        InputError,
        Taken,
    ]
    assert shop.delivered() == ["ann", "bob"]


def test_only_a_running_campaign_that_is_triggered_takes_triggers(shop):
    shop.put(people(5), id="milk")
    running.pause(shop.state, "tea", reason="price is wrong", actor="mei", now=shop.now)
    paused = told(shop, ("order-1", "ann"))
    [untriggered] = take_triggers(
        shop.state, [Trigger("milk", "1", "ann")], settings=shop.settings, now=shop.now
    )

    assert isinstance(paused[0], NotAllowed)
    assert isinstance(untriggered, InputError)
    assert shop.delivered() == []


def test_what_was_told_can_be_said_in_the_message(shop):
    given = Trigger("tea", "order-1", "ann", {"order_id": "A-17", "total": "88.00"})
    [taken] = take_triggers(shop.state, [given], settings=shop.settings, now=shop.now)

    found = triggers.properties_of(shop.state, [taken.key, "0" * 32])

    assert found == {taken.key: {"order_id": "A-17", "total": "88.00"}}


def test_a_trigger_whose_process_died_as_it_was_enrolled_was_never_taken_in(shop, monkeypatch):
    def dies(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(triggers, "enrol_within", dies)
        with pytest.raises(KeyboardInterrupt):
            told(shop, ("order-1", "ann"), ("order-2", "ann"))
    assert shop.all("SELECT COUNT(*) AS n FROM campaign_triggers") == [{"n": 0}]

    again = told(shop, ("order-1", "ann"), ("order-2", "ann"))
    shop.go()
    assert [one.is_new for one in again] == [True, True]
    assert shop.delivered() == ["ann", "ann"]


def test_a_trigger_an_earlier_version_noted_and_did_not_enrol_is_not_lost(shop):
    told(shop, ("order-1", "ann"), ("order-2", "ann"))
    shop.run("DELETE FROM ledger WHERE turn = :turn", {"turn": 0})

    assert take_left(shop.state, "tea", settings=shop.settings, now=shop.now) == 2
    assert take_left(shop.state, "tea", settings=shop.settings, now=shop.now) == 0
    shop.go()
    assert shop.delivered() == ["ann", "ann"]


def test_counts_of_a_triggered_campaign_add_up(shop):
    told(shop, *[(f"order-{one}", one) for one in people(20)], ("more", people(1)[0]))
    shop.go()
    [counted] = running.count(shop.state, "tea")

    assert counted.is_balanced
    assert counted.eligible == counted.fates["sent"] == 21


def test_many_at_once_are_all_taken_each_once(shop):
    desk = TriggerDesk(shop.state, shop.settings, clock=lambda: shop.now)
    given = [Trigger("tea", f"order-{n % 150}", f"c{n % 150}") for n in range(300)]
    with ThreadPoolExecutor(8) as callers:
        taken = list(callers.map(lambda one: desk.hand_in(one).result(timeout=60), given))
    shop.go()

    assert sum(one.is_new for one in taken) == 150
    assert sorted(shop.delivered()) == sorted(f"c{n}" for n in range(150))
    assert desk.wake.is_set()


def test_a_refusal_reaches_the_one_who_asked(shop):
    desk = TriggerDesk(shop.state, shop.settings, clock=lambda: shop.now)
    wrong = desk.hand_in(Trigger("milk", "1", "ann"))
    right = desk.hand_in(Trigger("tea", "1", "ann"))

    assert isinstance(wrong.exception(timeout=60), UnknownName)
    assert right.result(timeout=60).is_new


def test_a_transactional_campaign_that_bounces_stops_by_itself_too(shop):
    shop.provider._refusals = {one: "no_such_number" for one in people(60)}
    told(shop, *[(one, one) for one in people(60)])
    shop.go()

    assert shop.row().state == "paused"
    assert isinstance(told(shop, ("order-1", "ann"))[0], NotAllowed)


def test_its_channel_has_a_cost(shop):
    told(shop, ("order-1", "ann"))
    shop.go()

    [counted] = running.count(shop.state, "tea")
    assert counted.spent == replace(shop.settings).channels["sms"].cost
