"""What two passes, a live edit, or a pause between two moments must not break."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.reach.journeys.journey_shop import Trip

from regulars.errors import InputError
from regulars.ports.channels import Answer, Outcome
from regulars.reach.journeys.advancing import service as advancing
from regulars.reach.journeys.entering.service import tell
from regulars.reach.journeys.keeping.service import pause, resume, stop_journey
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running.webhooks.service import make_calls

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
PLAIN = """
id = "trip"
holdout = 0
reentry = "always"
start = "rest"
entry = { event = "Came" }
[nodes.rest]
kind = "wait"
days = 1
next = "say"
[nodes.say]
kind = "message"
channel = "sms"
next = "end"
[nodes.end]
kind = "exit"
"""
DECIDING = (
    PLAIN
    .replace('start = "rest"', 'start = "choose"')
    .replace('channel = "sms"', 'channels = ["sms"]\nfollows_decision = true')
    .replace(
        "[nodes.end]",
        """[nodes.choose]
kind = "decide"
offers = ["tea"]
channels = ["sms"]
next = "rest"
otherwise = "end"
[nodes.end]""",
    )
)
CALLING = """
id = "trip"
entry = { event = "Came" }
[nodes.call]
kind = "webhook"
hook = "crm"
next = "end"
[nodes.end]
kind = "exit"
"""


@pytest.fixture
def trip(shop):
    return Trip(shop, PLAIN, NOW)


def came(trip, *customers):
    return trip.after(hours=1).tell("Came", *customers)


def told(trip):
    """A pass that has told what waits, and no more."""
    return tell(trip.state, Shelf(), loop=trip.means.settings.loop, now=trip.now)


def test_nobody_is_carried_to_a_message_whose_decision_was_never_made(trip):
    came(trip, "ann", "bob").look()

    wanted = "2 at rest would come from rest to say, .* --map rest=NODE .*, rest=exit, or rest=stay"
    with pytest.raises(InputError, match=wanted):
        trip.publish(DECIDING)
    assert trip.row.version == 1
    assert trip.publish(DECIDING, {"rest": "choose"}).moved == 2


def test_whoever_was_decided_for_goes_on_by_the_new_version(trip):
    came(trip, "ann").look()
    kept = '{"decided": ["tea", "sms", 1.0]}'
    trip.shop.run("UPDATE journey_states SET context = :kept", {"kept": kept})
    trip.publish(DECIDING)
    done = trip.after(days=2).look()

    assert (done.errors, trip.standing()) == ({}, {})
    assert [row["offer_id"] for row in trip.rows("SELECT * FROM ledger")] == ["tea"]


def test_a_second_decision_that_chose_nothing_is_no_decision(trip):
    with pytest.raises(InputError, match="nodes.say follows a decision"):
        trip.publish(
            DECIDING.replace(
                'days = 1\nnext = "say"',
                """days = 1
next = "again"
[nodes.again]
kind = "decide"
offers = ["tea"]
channels = ["sms"]
next = "say"
otherwise = "say"
""",
            )
        )


def test_one_journey_that_breaks_keeps_no_other_from_going_on(trip, monkeypatch):
    Trip(trip.shop, PLAIN.replace('"trip"', '"other"'), NOW)
    came(trip, "ann").look()
    walk_due = advancing.walk_due

    def breaks(state, shelf, means, number, **given):
        if number == 1:
            raise KeyError("decided")
        return walk_due(state, shelf, means, number, **given)

    monkeypatch.setattr(advancing, "walk_due", breaks)
    done = trip.after(days=2).look()

    assert done.errors == {"trip": "KeyError: 'decided'"}
    assert done.contacts == 1
    assert trip.standing() == {"rest": 1}


def test_a_pass_forgets_no_event_that_came_after_it_looked(trip):
    came(trip, "ann", "bob")
    told(trip)
    trip.tell("Came", "cyd", "dan")
    told(trip)
    trip.look()

    found = trip.rows("SELECT customer_id FROM journey_states ORDER BY customer_id")
    assert [row["customer_id"] for row in found] == ["ann", "bob", "cyd", "dan"]


def test_stays_keep_different_numbers_when_events_are_told_again(trip):
    came(trip, "ann")
    told(trip)
    came(trip, "ann").look()
    came(trip, "ann").look()

    numbers = [row["times"] for row in trip.rows("SELECT times FROM journey_states")]
    assert len(numbers) == len(set(numbers)) == 3
    trip.after(days=2).look()
    assert len(trip.rows("SELECT key FROM ledger")) == 3


class Hook:
    """A receiver that says yes, and does something before."""

    def __init__(self, before=lambda: None):
        self.called, self._before = 0, before

    def send(self, contacts):
        self._before()
        self.called += len(contacts)
        return {one.key: Answer(Outcome.ACCEPTED) for one in contacts}


@pytest.fixture
def calling(shop):
    return came(Trip(shop, CALLING, NOW), "ann")


def called(trip, hook, **later):
    return make_calls(trip.state, {"crm": hook}, now=trip.now + timedelta(**later))


def states(trip):
    return [row["state"] for row in trip.rows("SELECT state FROM journey_acts")]


def test_a_paused_journey_calls_nobody_until_it_goes_on(calling):
    hook = Hook()
    calling.look()
    pause(calling.state, "trip", reason="wrong", actor="mei", now=calling.now)
    called(calling, hook, minutes=1)
    assert (hook.called, states(calling)) == (0, ["waiting"])

    resume(calling.state, "trip", actor="mei", now=calling.now)
    assert called(calling, hook, minutes=2)["done"] == hook.called == 1


def test_a_stopped_journey_calls_nobody_any_more(calling):
    hook = Hook()
    calling.look()
    stop_journey(calling.state, "trip", reason="wrong", actor="mei", now=calling.now)
    called(calling, hook, minutes=1)

    assert (hook.called, states(calling)) == (0, ["failed"])


def test_an_answer_that_comes_after_the_stop_changes_nothing(calling):
    calling.look()
    stop = lambda: stop_journey(  # noqa: E731
        calling.state, "trip", reason="wrong", actor="mei", now=calling.now
    )
    ends = called(calling, Hook(stop), minutes=1)

    assert (sum(ends.values()), states(calling)) == (0, ["failed"])


def test_only_whoever_holds_a_call_settles_it(calling):
    calling.look()
    slow = Hook(lambda: called(calling, Refusing(), minutes=9))
    called(calling, slow, minutes=1)

    assert states(calling) == ["failed"]  # as the later call was answered


class Refusing:
    """A receiver that says no."""

    def send(self, contacts):
        return {one.key: Answer(Outcome.REFUSED) for one in contacts}
