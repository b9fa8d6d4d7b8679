"""The ledger of runs: an audience enrolled once, worked off, held, tried again, accounted for."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from regulars.errors import InputError
from regulars.govern.consent.service import withdraw
from regulars.govern.policy import Fate
from regulars.ports.channels import Answer, Message, Outcome, Recovery
from regulars.reach.delivery import Member, Pace, Run, run_key
from regulars.reach.delivery.service import (
    account,
    cancel,
    enrol,
    export_ledger,
    stuck,
    tick,
    unknown,
    why,
)
from regulars.reach.standing.gate import Gate
from regulars.settings import Sending
from regulars.testing import Fault

ON_BOTH = True
EVERYBODY = [f"c{number:03d}" for number in range(40)]
SPRING = Run("campaign/spring/pilot", "spring", content="hello@1")
ORDER = Run("trigger/order/1", "order_paid", message_class="transactional")


@pytest.fixture
def sms(shop):
    shop.granted(EVERYBODY)
    return shop.provider()


def members(customers=EVERYBODY, **changes):
    return [
        replace(Member(c, "send", "chosen", channel="sms", cost=Decimal("0.05")), **changes)
        for c in customers
    ]


def now_of(shop, **later):
    return shop.turn().now + timedelta(**later)


def work(shop, channels, *, at=None, sending=None, compose=None, uptime=lambda: "", **pace):
    channels = channels if isinstance(channels, dict) else {"sms": channels}
    return tick(
        shop.state,
        now=at or now_of(shop),
        channels=channels,
        gate=Gate(shop.policy, zone=shop.zone),
        compose=compose,
        pace=Pace(sending or Sending(window=10), is_serial=True, uptime=uptime, **pace),
        pause=lambda seconds: None,
        timer=lambda: 0.0,
    )


def fates(shop, run=SPRING):
    rows = shop.all(
        "SELECT customer_id, state, reason FROM ledger WHERE run_id = :run", run=run.run_id
    )
    return {row["customer_id"]: (row["state"], row["reason"]) for row in rows}


def test_everybody_of_a_run_is_reached_once_and_the_account_adds_up(shop, sms):
    held = [
        Member("held", "holdout", "campaign_holdout"),
        Member("no", "abstain", "negative_value"),
    ]
    assert enrol(shop.state, SPRING, members() + held, now=now_of(shop)) == 42
    assert enrol(shop.state, SPRING, members() + held, now=now_of(shop)) == 0

    report = work(shop, sms)
    again = work(shop, sms)

    assert sorted(customer for _, customer in sms.deliveries()) == EVERYBODY
    assert (report.sent, again.sent) == (40, 0)
    tally = account(shop.state, SPRING.run_id)
    assert (tally.eligible, tally.open_by_state) == (42, {})
    assert tally.count_by_fate[Fate.SENT] == 40
    assert tally.count_by_fate[Fate.HOLDOUT] == tally.count_by_fate[Fate.ABSTAINED] == 1


def test_the_key_is_that_of_the_run_the_step_and_the_customer(shop, sms):
    enrol(shop.state, SPRING, members(["c001"]), now=now_of(shop))

    work(shop, sms)

    assert sms.deliveries() == [(run_key(SPRING.run_id, "", "c001"), "c001")]


def test_an_audience_counted_once_cannot_become_another(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    with pytest.raises(InputError, match="run campaign/spring/pilot has 39 customers"):
        enrol(shop.state, SPRING, members(EVERYBODY[1:]), now=now_of(shop))


def test_a_run_that_grows_counts_who_joins(shop, sms):
    growing = replace(SPRING, grows=True)
    for customers in (EVERYBODY[:3], EVERYBODY[2:5], EVERYBODY[:5]):
        enrol(shop.state, growing, members(customers), now=now_of(shop))

    work(shop, sms)

    assert account(shop.state, SPRING.run_id).eligible == 5
    assert len(sms.deliveries()) == 5


def test_consent_is_asked_when_the_contact_goes_out_not_when_it_is_enrolled(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    withdraw(shop.state, "c007", at=now_of(shop))

    work(shop, sms)

    assert fates(shop)["c007"] == ("skipped", "consent_withdrawn")
    assert len(sms.deliveries()) == 39


def test_what_is_quiet_now_goes_out_when_the_night_is_over(shop, sms):
    shop.rules(quiet_from=9, quiet_to=11)
    enrol(shop.state, SPRING, members(["c001"]), now=now_of(shop))

    first = work(shop, sms)
    early = work(shop, sms, at=now_of(shop, minutes=59))
    assert fates(shop) == {"c001": ("deferred", "quiet_hours")}
    after = work(shop, sms, at=now_of(shop, minutes=60))

    assert (first.sent, early.sent, after.sent, after.released) == (0, 0, 1, 1)


def test_a_contact_may_wait_for_its_moment(shop, sms):
    enrol(
        shop.state,
        SPRING,
        members(["c001"], not_before=now_of(shop, hours=2)),
        now=now_of(shop),
    )

    assert fates(shop) == {"c001": ("deferred", "scheduled")}
    assert work(shop, sms, at=now_of(shop, hours=1)).sent == 0
    assert work(shop, sms, at=now_of(shop, hours=2)).sent == 1


def test_what_customers_wait_for_goes_out_before_what_we_want_to_say(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    enrol(shop.state, ORDER, members(["late"]), now=now_of(shop, seconds=5))

    work(shop, sms, at=now_of(shop, seconds=6))

    assert sms.deliveries()[0][1] == "late"


def test_an_order_confirmation_overtakes_marketing_that_is_being_sent(shop, sms):
    """The first window is out when the order comes: it is in the second."""
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    come = []

    def order(_contact):
        if not come:
            come.append(1)
            enrol(shop.state, ORDER, members(["late"]), now=now_of(shop))

    provider = shop.provider(watch=order)
    work(shop, provider)

    assert provider.deliveries()[10][1] == "late"


def test_the_higher_priority_goes_first_and_takes_the_room_under_the_cap(shop, sms):
    shop.rules(cap_contacts=1)
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    urgent = Run("campaign/sale/all", "sale", priority=5)
    enrol(shop.state, urgent, members(), now=now_of(shop, minutes=1))

    work(shop, sms, at=now_of(shop, minutes=2))

    assert account(shop.state, urgent.run_id).count_by_fate[Fate.SENT] == 40
    assert account(shop.state, SPRING.run_id).reasons_by_fate[Fate.SKIPPED] == {"frequency_cap": 40}


def test_a_busy_provider_is_left_alone_and_asked_again_later(shop, sms):
    provider = shop.provider(faults={1: Fault.BUSY})
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    first = work(shop, provider)
    counted = shop.all("SELECT COUNT(*) AS n FROM counted_contacts")
    soon = work(shop, provider, at=now_of(shop, seconds=1))
    later = work(shop, provider, at=now_of(shop, seconds=10))

    assert (first.sent, first.closed) == (0, {"sms": "throttled"})
    assert counted == [{"n": 0}]
    assert (soon.sent, later.sent) == (30, 10)
    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY


def test_a_provider_that_stays_busy_fails_in_the_end_and_frees_the_cap(shop, sms):
    provider = shop.provider(faults=dict.fromkeys(range(1, 50), Fault.BUSY))
    enrol(shop.state, SPRING, members(["c001"]), now=now_of(shop))

    for hour in range(9):
        work(shop, provider, at=now_of(shop, minutes=30 * hour))

    assert fates(shop) == {"c001": ("failed", "too_many_requests")}
    assert shop.all("SELECT COUNT(*) AS n FROM counted_contacts") == [{"n": 0}]


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.HALF, Fault.RESET, Fault.MUTE])
def test_a_provider_that_knows_keys_is_sent_the_same_key_again(shop, sms, fault):
    provider = shop.provider(faults={1: fault})
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    work(shop, provider)
    assert {state for state, _ in fates(shop).values()} == {"sent", "claimed"}
    work(shop, provider, at=now_of(shop, minutes=1))

    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY
    assert set(fates(shop).values()) == {("sent", "handed_over")}


def test_a_key_the_provider_may_have_forgotten_is_not_sent_again(shop, sms):
    provider = shop.provider(faults={1: Fault.TIMEOUT})
    provider.key_seconds = 900
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    work(shop, provider)
    work(shop, provider, at=now_of(shop, minutes=14))

    received = [customer for _, customer in provider.deliveries()]
    assert sorted(received) == EVERYBODY
    assert account(shop.state, SPRING.run_id).reasons_by_fate[Fate.UNKNOWN] == {"key_expired": 10}
    assert len(unknown(shop.state)) == 10


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.HALF, Fault.RESET])
def test_a_provider_without_keys_is_not_sent_to_again_and_the_doubt_is_listed(shop, sms, fault):
    provider = shop.provider(keyed=False, faults={1: fault})
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    for minute in range(5):
        work(shop, provider, at=now_of(shop, minutes=minute), sending=Sending(careful_window=4))

    received = [customer for _, customer in provider.deliveries()]
    doubt = [row["customer_id"] for row in unknown(shop.state)]
    assert len(received) == len(set(received))
    assert set(received) | set(doubt) == set(EVERYBODY)
    assert len(doubt) == 4


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.HALF, Fault.RESET])
def test_a_provider_that_can_be_asked_is_asked_and_nobody_gets_it_twice(shop, sms, fault):
    provider = shop.provider(keyed=False, asked=True, faults={1: fault})
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    for minute in range(4):
        work(shop, provider, at=now_of(shop, minutes=minute))

    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY
    assert set(fates(shop).values()) == {("sent", "handed_over")}


class Dead:
    """A channel that answers nothing, ever."""

    recovery = Recovery.RESEND
    key_seconds = 86_400
    carries_messages = False

    def __init__(self):
        self.calls = 0

    def send(self, contacts, /):
        self.calls += 1
        raise OSError("no route to host")

    def find(self, keys, /):
        return {}


def test_a_dead_channel_is_left_alone_and_holds_up_nobody_else(shop, sms):
    dead = Dead()
    enrol(shop.state, SPRING, members(channel="app"), now=now_of(shop))
    enrol(shop.state, replace(SPRING, run_id="campaign/b"), members(), now=now_of(shop))

    report = work(shop, {"app": dead, "sms": sms})
    work(shop, {"app": dead, "sms": sms}, at=now_of(shop, seconds=30))

    assert (report.sent, report.errors) == (40, {"app": "no route to host"})
    assert dead.calls == 1
    assert [alert.kind for alert in stuck(shop.state, now=now_of(shop, seconds=30))] == ["closed"]


def test_a_channel_that_fails_again_and_again_is_tried_by_one_contact_only(shop, sms):
    provider = shop.provider(faults=dict.fromkeys(range(1, 4), Fault.RESET))
    sending = Sending(window=10, breaker_failures=3, breaker_seconds=60, retry_first_seconds=900)
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    first = work(shop, provider, sending=sending)
    work(shop, provider, at=now_of(shop, seconds=59), sending=sending)
    assert provider.deliveries() == []
    work(shop, provider, at=now_of(shop, seconds=61), sending=sending)

    assert first.closed.keys() == {"sms"}
    assert len(provider.deliveries()) == 10
    assert shop.all("SELECT failures, closed_until FROM channel_health") == [
        {"failures": 0, "closed_until": ""}
    ]


class Speaking:
    """A keyed channel that needs messages and keeps them."""

    recovery = Recovery.RESEND
    key_seconds = 86_400
    carries_messages = True

    def __init__(self):
        self.said = {}

    def send(self, contacts, /):
        self.said |= {contact.customer_id: contact.message.text for contact in contacts}
        return {c.key: Answer(Outcome.ACCEPTED, provider_id=f"p-{c.customer_id}") for c in contacts}

    def find(self, keys, /):
        return {}


def compose(contacts):
    lacking = {"c001": "no_address", "c002": "content_error"}
    return {
        c.key: lacking.get(c.customer_id) or Message(c.customer_id, text=f"hello {c.customer_id}")
        for c in contacts
    }


def test_messages_are_composed_for_channels_that_carry_them(shop, sms):
    channel = Speaking()
    enrol(shop.state, SPRING, members(["c001", "c002", "c003"]), now=now_of(shop))

    work(shop, channel, compose=compose)

    assert channel.said == {"c003": "hello c003"}
    assert fates(shop) == {
        "c001": ("skipped", "no_address"),
        "c002": ("failed", "content_error"),
        "c003": ("sent", "handed_over"),
    }
    assert shop.all("SELECT customer_id FROM counted_contacts") == [{"customer_id": "c003"}]
    [attempt] = why(shop.state, "c003")
    assert (attempt.provider_id, attempt.fate, attempt.attempts) == ("p-c003", "sent", 1)


def test_content_that_breaks_leaves_its_contacts_planned(shop, sms):
    def broken(_contacts):
        raise ValueError("no such block")

    enrol(shop.state, SPRING, members(), now=now_of(shop))

    report = work(shop, Speaking(), compose=broken)

    assert report.errors == {"sms": "no such block"}
    assert {state for state, _ in fates(shop).values()} == {"planned"}
    assert shop.all("SELECT COUNT(*) AS n FROM counted_contacts") == [{"n": 0}]


def test_a_cancelled_run_contacts_nobody_any_more(shop, sms):
    enrol(shop.state, SPRING, members(EVERYBODY[:20]), now=now_of(shop))

    assert cancel(shop.state, SPRING.run_id, reason="stopped_by_hand", now=now_of(shop)) == 20
    work(shop, sms)

    assert sms.deliveries() == []
    assert account(shop.state, SPRING.run_id).reasons_by_fate[Fate.SKIPPED] == {
        "stopped_by_hand": 20
    }
    with pytest.raises(InputError, match="was cancelled"):
        enrol(shop.state, SPRING, members(EVERYBODY[:20]), now=now_of(shop))


def test_who_joins_a_growing_run_that_was_cancelled_is_written_down_and_skipped(shop, sms):
    growing = replace(SPRING, grows=True)
    enrol(shop.state, growing, members(EVERYBODY[:2]), now=now_of(shop))
    cancel(shop.state, SPRING.run_id, reason="stopped_by_hand", now=now_of(shop))
    enrol(shop.state, growing, members(EVERYBODY[2:5]), now=now_of(shop))
    work(shop, sms)

    assert sms.deliveries() == []
    assert account(shop.state, SPRING.run_id).reasons_by_fate[Fate.SKIPPED] == {
        "stopped_by_hand": 5
    }


def test_why_tells_every_contact_and_non_contact_of_a_customer_the_newest_first(shop, sms):
    shop.rules(cap_contacts=1)
    for day, name in enumerate(["one", "two", "three"]):
        run = replace(SPRING, run_id=f"campaign/{name}")
        enrol(shop.state, run, members(["c001"]), now=now_of(shop, days=day))
        work(shop, sms, at=now_of(shop, days=day))

    told = [(one.run_id, one.fate, one.reason) for one in why(shop.state, "c001")]
    assert told == [
        ("campaign/three", "skipped", "frequency_cap"),
        ("campaign/two", "skipped", "frequency_cap"),
        ("campaign/one", "sent", "handed_over"),
    ]
    assert len(why(shop.state, "c001", limit=2)) == 2
    assert why(shop.state, "nobody") == []


def test_the_exported_ledger_has_a_row_per_customer_run_and_step(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    enrol(shop.state, replace(SPRING, step="second"), members(["c001"]), now=now_of(shop))
    work(shop, sms)

    written = export_ledger(shop.state, shop.folder / "out" / "ledger.parquet")

    table = pq.read_table(shop.folder / "out" / "ledger.parquet")
    assert written == table.num_rows == 41
    assert {"campaign", "step", "customer_id", "channel", "key", "fate", "reason"} <= set(
        table.column_names
    )
    assert len(set(table.column("key").to_pylist())) == 41


def test_what_does_not_move_is_reported_as_stuck(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    assert stuck(shop.state, now=now_of(shop, minutes=14)) == []
    [alert] = stuck(shop.state, now=now_of(shop, minutes=16))

    assert (alert.kind, alert.channel, alert.count) == ("waiting", "sms", 40)


def test_who_was_throttled_while_the_run_was_cancelled_is_not_contacted_later(shop, sms):
    class Cancelling(type(sms)):
        def send(self, contacts, /):
            cancel(shop.state, SPRING.run_id, reason="stopped_by_hand", now=now_of(shop))
            return super().send(contacts)

    provider = Cancelling(shop.folder / "record", keyed=True, faults={1: Fault.BUSY})
    enrol(shop.state, SPRING, members(), now=now_of(shop))

    work(shop, provider)
    work(shop, provider, at=now_of(shop, minutes=5))

    assert provider.deliveries() == []
    assert set(fates(shop).values()) == {("skipped", "stopped_by_hand")}


def test_a_clock_set_back_leaves_no_key_trusted_that_may_be_old(shop, sms):
    provider = shop.provider(faults={1: Fault.TIMEOUT})
    enrol(shop.state, SPRING, members(EVERYBODY[:10]), now=now_of(shop))

    work(shop, provider)
    work(shop, provider, at=now_of(shop, hours=-2))
    work(shop, provider, at=now_of(shop, minutes=1))

    assert set(fates(shop).values()) == {("unknown", "clock_went_back")}
    assert len(provider.deliveries()) == 10


def test_a_provider_too_busy_for_a_second_attempt_says_nothing_about_the_first(shop, sms):
    """It may have the first: the contact stays in doubt, and keeps its place under the cap."""
    provider = shop.provider(faults={1: Fault.TIMEOUT, 2: Fault.BUSY})
    enrol(shop.state, SPRING, members(EVERYBODY[:10]), now=now_of(shop))

    work(shop, provider)
    work(shop, provider, at=now_of(shop, seconds=10))

    assert {state for state, _ in fates(shop).values()} == {"claimed"}
    assert shop.all("SELECT COUNT(*) AS n FROM counted_contacts") == [{"n": 10}]
    cancel(shop.state, SPRING.run_id, reason="called_off", now=now_of(shop, seconds=11))
    work(shop, provider, at=now_of(shop, minutes=5))
    assert set(fates(shop).values()) == {("unknown", "called_off")}


def test_a_clock_nobody_can_set_tells_how_old_a_key_is(shop, sms):
    provider = shop.provider(faults={1: Fault.TIMEOUT})
    provider.key_seconds = 900
    enrol(shop.state, SPRING, members(EVERYBODY[:10]), now=now_of(shop))

    work(shop, provider, uptime=lambda: "here 100")
    work(shop, provider, uptime=lambda: "here 900", at=now_of(shop, minutes=1))
    assert {reason for _, reason in fates(shop).values()} == {"key_expired"}

    provider.calls = 0
    other = replace(SPRING, run_id="campaign/other")
    enrol(shop.state, other, members(EVERYBODY[:10]), now=now_of(shop))
    work(shop, provider, uptime=lambda: "here 100")
    work(shop, provider, uptime=lambda: "here 200", at=now_of(shop, hours=-2))
    work(shop, provider, uptime=lambda: "here 200", at=now_of(shop, minutes=1))
    assert set(fates(shop, other).values()) == {("sent", "handed_over")}


def at_work(shop, provider, **options):
    """One pass with four senders in threads; gives how many were with the provider at once."""
    inside, most, alone = [], [], threading.Lock()

    class Watched(type(provider)):
        def send(self, contacts, /):
            with alone:
                inside.append(1)
                most.append(len(inside))
            threading.Event().wait(0.01)
            try:
                return super().send(contacts)
            finally:
                with alone:
                    inside.pop()

    provider.__class__ = Watched
    tick(
        shop.state,
        now=now_of(shop),
        channels={"sms": provider},
        gate=Gate(shop.policy, zone=shop.zone),
        pace=Pace(Sending(window=2, careful_window=2), senders=4),
    )
    return max(most)


def test_senders_share_a_channel_but_for_one_where_a_crash_leaves_doubt(shop, sms):
    enrol(shop.state, SPRING, members(), now=now_of(shop))
    unkeyed = shop.provider(keyed=False)

    assert at_work(shop, unkeyed) == 1
    assert sorted(customer for _, customer in unkeyed.deliveries()) == EVERYBODY

    enrol(shop.state, replace(SPRING, run_id="campaign/b"), members(), now=now_of(shop))
    assert at_work(shop, sms) > 1
    assert sorted(customer for _, customer in sms.deliveries()) == EVERYBODY


def test_a_channel_whose_calls_do_not_end_holds_up_no_other(shop, sms):
    """The slow one returns only after the other has sent everything."""
    done = threading.Event()

    class Slow(Dead):
        def send(self, contacts, /):
            assert done.wait(60)
            return {c.key: Answer(Outcome.ACCEPTED) for c in contacts}

    def watch(_contact):
        if len(sms.deliveries()) == len(EVERYBODY):
            done.set()

    sms._watch = watch
    enrol(shop.state, SPRING, members(channel="app"), now=now_of(shop))
    enrol(shop.state, replace(SPRING, run_id="campaign/b"), members(), now=now_of(shop))

    report = tick(
        shop.state,
        now=now_of(shop),
        channels={"app": Slow(), "sms": sms},
        gate=Gate(shop.policy, zone=shop.zone),
        pace=Pace(Sending(window=10)),
    )

    assert report.count_by_channel == {"app": 40, "sms": 40}
