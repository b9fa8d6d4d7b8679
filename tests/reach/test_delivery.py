"""The send ledger: what is planned, what the rules refuse, and that everybody has one fate."""

from decimal import Decimal

import pytest

from regulars.errors import InputError, NotReady, Permanent, UnknownName
from regulars.govern.consent.service import withdraw
from regulars.govern.policy import Fate
from regulars.govern.policy.service import resume, stop
from regulars.ports.channels import Recovery
from regulars.reach.delivery import contact_key, planned_rows, tally
from regulars.reach.delivery.service import (
    contacts_of,
    contacts_with_fate,
    plan,
    set_stock,
    snapshot_audience,
)
from regulars.testing import Fault

ON_BOTH = True
EVERYBODY = [f"c{number:03d}" for number in range(40)]


def suppress(shop, customer, channel="*"):
    shop.run(
        "INSERT INTO suppressions (customer_id, channel, reason, since) VALUES (:customer, :channel, 'opted_out', '2026')",
        {"customer": customer, "channel": channel},
    )


def contacted(shop, customer, day, contacts=1):
    shop.run(
        """INSERT INTO counted_contacts (customer_id, key, at, channel, message_class)
           VALUES (:customer, :key, :at, 'sms', 'marketing')""",
        *(
            {"customer": customer, "key": f"before {day} {n}", "at": f"{day}T01:00:00.000000+00:00"}
            for n in range(contacts)
        ),
    )


def given_out(shop):
    return {
        row["offer_id"]: row["given"] for row in shop.all("SELECT offer_id, given FROM offer_stock")
    }


def counted(shop):
    return {
        row["customer_id"]: row["n"]
        for row in shop.all(
            "SELECT customer_id, COUNT(*) AS n FROM counted_contacts GROUP BY customer_id"
        )
    }


def test_a_key_names_the_contact_and_nothing_else():
    same = {
        "turn": 1,
        "customer_id": "a",
        "campaign_id": "x-001",
        "offer_id": "x",
        "channel": "sms",
    }
    changed = [same | {name: 2 if name == "turn" else "other"} for name in same]

    assert contact_key(**same) == contact_key(**same)
    assert len({contact_key(**one) for one in (same, *changed)}) == 1 + len(changed)


def test_every_customer_of_the_audience_has_one_fate(shop):
    shop.granted(["ann", "bob"])
    decisions = [
        shop.decision("ann"),
        shop.decision("bob", "abstain"),
        shop.decision("eve", "holdout", reason="campaign_holdout"),
        shop.decision("joe", "defer", reason="later"),
        shop.decision("kim", "skip", reason="no_offer"),
        shop.decision("lee"),
        shop.decision("max", "skip", reason="quiet_hours"),
    ]

    fates = shop.sends(decisions, shop.provider())

    assert fates == {
        "ann": ("sent", "handed_over"),
        "bob": ("abstained", "negative_value"),
        "eve": ("holdout", "campaign_holdout"),
        "joe": ("deferred", "later"),
        "kim": ("skipped", "no_offer"),
        "lee": ("skipped", "no_consent"),
        "max": ("deferred", "quiet_hours"),
    }
    assert shop.tally().eligible == 7
    assert shop.tally().reasons_by_fate[Fate.SKIPPED] == {"no_consent": 1, "no_offer": 1}


@pytest.mark.parametrize("flag", ["is_global_holdout", "is_campaign_holdout"])
def test_a_holdout_is_never_contacted_whatever_the_verdict_says(shop, flag):
    shop.granted(EVERYBODY)
    provider = shop.provider()

    fates = shop.sends([shop.decision(c, **{flag: True}) for c in EVERYBODY], provider)

    assert provider.deliveries() == []
    assert set(fates.values()) == {("holdout", flag.removeprefix("is_"))}


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"offer_id": None}, "without offer_id"),
        ({"verdict": "maybe"}, "must be one of"),
        ({"customer_id": "ann"}, "two decisions"),
        ({"channel": "fax"}, "no channel named 'fax'; known: app, sms"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_refused_before_anything_goes_out(
    shop, wrong, hint
):
    with pytest.raises(InputError, match=hint):
        shop.plans([shop.decision("ann"), shop.decision("bob") | wrong])

    assert shop.all("SELECT key FROM ledger") == []


def test_a_cost_of_half_a_cent_is_refused(shop):
    with pytest.raises(InputError, match="whole number of cents"):
        planned_rows([shop.decision("ann")], turn=1, channel_costs={"sms": Decimal("0.045")})


def test_planning_again_changes_nothing_and_another_audience_is_refused(shop):
    rows = shop.plans([shop.decision(c) for c in EVERYBODY])
    plan(shop.state, shop.turn(), rows)

    with pytest.raises(InputError, match="counted as 40"):
        plan(shop.state, shop.turn(), rows[1:])

    assert shop.all("SELECT COUNT(*) AS n FROM ledger") == [{"n": 40}]


def test_the_audience_counted_before_deciding_must_be_decided_on(shop):
    snapshot_audience(shop.state, 1, 41)

    with pytest.raises(InputError, match="has 40 customers, its audience was counted as 41"):
        shop.plans([shop.decision(c) for c in EVERYBODY])


def test_a_ledger_changed_by_hand_does_not_add_up(shop):
    shop.granted(EVERYBODY)
    shop.sends([shop.decision(c) for c in EVERYBODY], shop.provider())
    shop.run("DELETE FROM ledger WHERE customer_id = :customer", {"customer": "c000"})

    with pytest.raises(Permanent, match="add up to 39, the audience is 40"):
        shop.tally()


def test_a_contact_without_a_fate_is_noticed():
    with pytest.raises(NotReady, match="3 contacts are still claimed"):
        tally([("claimed", "claimed", 3)], eligible=3)


def test_each_rule_refuses_with_its_reason(shop):
    shop.granted(["fine", "gone", "closed", "other", "tired", "rested", "early"])
    shop.says("gone", "withdrawn", day=2)
    shop.says("never", "denied")
    shop.says("app", "granted", channel="app")
    suppress(shop, "closed")
    suppress(shop, "other", "app")
    contacted(shop, "tired", "2026-02-10", 2)
    contacted(shop, "rested", "2026-02-02", 2)
    contacted(shop, "early", "2026-04-01", 2)
    customers = [
        "fine",
        "gone",
        "never",
        "app",
        "closed",
        "other",
        "tired",
        "rested",
        "early",
        "silent",
    ]

    fates = shop.sends([shop.decision(c) for c in customers], shop.provider())

    assert {name: reason for name, (_, reason) in fates.items()} == {
        "fine": "handed_over",
        "gone": "consent_withdrawn",
        "never": "consent_denied",
        "app": "no_consent",
        "closed": "suppressed",
        "other": "handed_over",
        "tired": "frequency_cap",
        "rested": "handed_over",
        "early": "frequency_cap",
        "silent": "no_consent",
    }


def test_quiet_hours_defer_until_their_end(shop):
    shop.granted(["ann"])
    shop.rules(quiet_from=9, quiet_to=11)

    fates = shop.sends([shop.decision("ann")], shop.provider())

    assert fates == {"ann": ("deferred", "quiet_hours")}
    assert shop.all("SELECT hold_until, at FROM ledger") == [
        {"hold_until": "2026-03-02T03:00:00.000000+00:00", "at": None}
    ]


def test_without_the_need_of_consent_only_a_refusal_stops_a_contact(shop):
    shop.rules(consent_required=False)
    shop.says("no", "denied")

    fates = shop.sends([shop.decision("silent"), shop.decision("no")], shop.provider())

    assert fates == {"silent": ("sent", "handed_over"), "no": ("skipped", "consent_denied")}


def test_the_last_coupons_go_to_the_same_customers_at_any_number_of_senders(new_shop):
    won = []
    for workers, window in ((1, 500), (2, 5), (4, 3)):
        shop = new_shop()
        shop.granted(EVERYBODY)
        set_stock(shop.state, {"ten_off": 7, "other": None})
        shop.plans([shop.decision(c) for c in EVERYBODY], window=window)
        shop.dispatches(shop.provider(), workers=workers)
        won.append({customer for customer, fate in shop.fates().items() if fate[0] == "sent"})
        assert given_out(shop) == {"ten_off": 7, "other": 0}

    assert won[0] == won[1] == won[2]
    assert len(won[0]) == 7


def test_stock_used_up_by_another_turn_is_seen_by_the_claim(shop):
    shop.granted(EVERYBODY)
    set_stock(shop.state, {"ten_off": 50})
    shop.plans([shop.decision(c) for c in EVERYBODY], number=1)
    shop.plans([shop.decision(c) for c in EVERYBODY], number=2)

    shop.dispatches(shop.provider(), number=1)
    shop.dispatches(shop.provider(), number=2)

    assert given_out(shop) == {"ten_off": 50}
    assert shop.tally(2).count_by_fate[Fate.SENT] == 10
    assert shop.tally(2).reasons_by_fate[Fate.SKIPPED] == {"out_of_stock": 30}


def test_what_the_channel_refuses_failed_and_costs_neither_money_cap_nor_stock(shop):
    shop.granted(EVERYBODY)
    set_stock(shop.state, {"ten_off": 100})
    provider = shop.provider(refusals={"c003": "no_such_number", "c007": "blocked"})

    fates = shop.sends([shop.decision(c) for c in EVERYBODY], provider)

    assert fates["c003"] == ("failed", "no_such_number")
    assert shop.tally().count_by_fate[Fate.FAILED] == 2
    assert given_out(shop) == {"ten_off": 38}
    assert sum(counted(shop).values()) == 38
    rows = {row["customer_id"]: row for row in contacts_of(shop.state, 1)}
    assert (rows["c003"]["cost"], rows["c003"]["at"]) == (Decimal(0), None)
    assert (rows["c004"]["cost"], rows["c004"]["at"]) == (Decimal("0.05"), shop.turn().now)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_keyed_channel_is_asked_again_and_nobody_gets_it_twice(shop, fault):
    shop.granted(EVERYBODY)
    provider = shop.provider(faults={1: fault, 2: fault})

    fates = shop.sends([shop.decision(c) for c in EVERYBODY], provider)

    assert set(fates.values()) == {("sent", "handed_over")}
    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY


def test_a_keyed_channel_that_never_answers_leaves_its_batch_unknown_and_counted(shop):
    shop.granted(EVERYBODY)
    # The first window is tried again after the others, and once more after that.
    provider = shop.provider(faults=dict.fromkeys((1, 5, 6), Fault.RESET))
    shop.plans([shop.decision(c) for c in EVERYBODY], window=10)

    shop.dispatches(provider)

    assert shop.tally().reasons_by_fate[Fate.UNKNOWN] == {"no_answer": 10}
    assert shop.tally().count_by_fate[Fate.SENT] == 30
    assert sum(counted(shop).values()) == 40


@pytest.mark.parametrize("fault", list(Fault))
def test_a_channel_without_keys_is_not_asked_again(shop, fault):
    shop.granted(EVERYBODY)
    provider = shop.provider(keyed=False, faults={1: fault})
    shop.plans([shop.decision(c) for c in EVERYBODY], window=10)

    shop.dispatches(provider)
    shop.dispatches(provider)

    received = [customer for _, customer in provider.deliveries()]
    unknown = {row["customer_id"] for row in contacts_with_fate(shop.state, 1, Fate.UNKNOWN)}
    assert len(received) == len(set(received))
    assert len(unknown) == (0 if fault is Fault.BUSY else 10)
    assert set(EVERYBODY) - set(received) <= unknown


def test_a_withdrawal_during_the_turn_stops_every_contact_not_yet_claimed(shop):
    shop.granted(EVERYBODY)
    shop.plans([shop.decision(c) for c in EVERYBODY], window=5)
    gone = []

    def leave(contact):
        if not gone:
            gone.extend(customer for customer in EVERYBODY if customer != contact.customer_id)
            for customer in gone:
                withdraw(shop.state, customer, at=shop.turn().now)

    provider = shop.provider(watch=leave)
    shop.dispatches(provider)

    assert len(provider.deliveries()) == 5
    assert shop.tally().reasons_by_fate[Fate.SKIPPED] == {"consent_withdrawn": 35}


def test_an_emergency_stop_in_the_middle_leaves_the_rest_at_rest(shop):
    shop.granted(EVERYBODY)
    shop.plans([shop.decision(c) for c in EVERYBODY], window=10)
    provider = shop.provider(
        watch=lambda contact: stop(shop.state, "wrong link", actor="ann", at=shop.turn().now)
    )

    shop.dispatches(provider)
    resume(shop.state, actor="ann", at=shop.turn().now)
    shop.dispatches(provider)

    assert len(provider.deliveries()) == 10
    assert shop.tally().reasons_by_fate[Fate.SKIPPED] == {"emergency_stop": 30}


def test_a_channel_without_an_adapter_stops_the_turn_before_it_starts(shop):
    shop.granted(EVERYBODY)
    shop.plans([shop.decision(c) for c in EVERYBODY])

    with pytest.raises(UnknownName, match="sms"):
        shop.dispatches({"app": shop.provider()})

    assert {row["state"] for row in shop.all("SELECT state FROM ledger")} == {"planned"}


class Broken:
    """A keyed channel that takes nothing and does not come back by itself."""

    recovery = Recovery.RESEND
    key_seconds = 86_400
    carries_messages = False

    def send(self, contacts):
        raise Permanent("disk full")


def test_who_withdraws_after_a_crash_is_not_sent_to_again_but_listed(shop):
    shop.granted(["ann", "bob"])
    shop.plans([shop.decision("ann"), shop.decision("bob")])
    with pytest.raises(Permanent):
        shop.dispatches(Broken())
    withdraw(shop.state, "ann", at=shop.turn().now)

    provider = shop.provider()
    shop.dispatches(provider)

    assert [customer for _, customer in provider.deliveries()] == ["bob"]
    assert shop.fates() == {"ann": ("unknown", "consent_withdrawn"), "bob": ("sent", "handed_over")}


def test_two_contacts_on_one_day_count_as_two(shop):
    shop.granted(["ann"])
    contacted(shop, "ann", "2026-03-02")

    shop.sends([shop.decision("ann")], shop.provider())

    assert counted(shop) == {"ann": 2}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_channel_that_breaks_down_ends_the_turn_and_the_next_run_goes_on(shop, workers):
    shop.granted(EVERYBODY)
    shop.plans([shop.decision(c) for c in EVERYBODY], window=5)

    with pytest.raises(Permanent, match="disk full"):
        shop.dispatches(Broken(), workers=workers)
    provider = shop.provider()
    shop.dispatches(provider, workers=workers)

    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY
    assert shop.tally().count_by_fate[Fate.SENT] == 40


def test_an_unknown_turn_has_no_account(shop):
    with pytest.raises(InputError, match="turn 9 is not in the send ledger"):
        shop.tally(9)
