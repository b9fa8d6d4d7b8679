"""Versions take one another's place while customers are inside: nobody is lost, nothing is guessed."""

import tempfile
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.reach.journeys.journey_shop import Trip

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.reach.delivery.service import tick
from regulars.reach.journeys.keeping.service import compare, pause, resume, stop_journey
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
FIRST = """
id = "trip"
holdout = 0
entry = { event = "Came" }
[nodes.rest]
kind = "wait"
days = 3
next = "look"
[nodes.look]
kind = "wait_for_event"
event = "Viewed"
timeout_days = 2
next = "say"
on_timeout = "end"
[nodes.say]
kind = "message"
channel = "sms"
next = "end"
[nodes.end]
kind = "exit"
"""
SECOND = FIRST.replace("nodes.look", "nodes.glance").replace('"look"', '"glance"')


@pytest.fixture
def trip(shop):
    found = Trip(shop, FIRST, NOW)
    found.after(hours=1).tell("Came", "ann", "bob", "cyd").look()
    return found


def test_the_same_words_again_are_no_new_version(trip):
    trip.publish(FIRST)

    assert [one.version for one in trip.row.versions] == [1]


def test_a_node_that_vanished_under_customers_needs_a_word(trip):
    trip.after(days=3, hours=1).look()

    with pytest.raises(InputError, match=r"3 at look; say for each.*look=NODE, look=exit"):
        trip.publish(SECOND)
    assert trip.row.version == 1
    done = trip.publish(SECOND, {"look": "glance"})
    assert (done.moved, done.inside, trip.standing()) == (3, 3, {"glance": 3})


def test_whoever_is_moved_arrives_anew_and_goes_on(trip):
    trip.after(days=3, hours=1).look()
    trip.publish(SECOND, {"look": "glance"})
    trip.look()
    trip.after(days=1).tell("Viewed", "ann").look()

    assert trip.standing() == {"glance": 2}
    sent = trip.rows("SELECT customer_id FROM ledger")
    assert [row["customer_id"] for row in sent] == ["ann"]
    assert trip.after(days=3).look().customers == 2
    assert trip.standing() == {}


def test_stay_lets_them_finish_by_the_version_they_are_in(trip):
    trip.after(days=3, hours=1).look()
    done = trip.publish(SECOND, {"look": "stay"})
    trip.tell("Came", "dan").after(hours=1).tell("Viewed", "bob").look()

    assert done.stayed == 3
    versions = trip.rows(
        "SELECT DISTINCT version FROM journey_states WHERE wake_at IS NOT NULL ORDER BY 1"
    )
    assert [row["version"] for row in versions] == [1, 2]
    assert trip.standing() == {"look": 2, "rest": 1}
    assert len(trip.rows("SELECT key FROM ledger")) == 1


def test_exit_takes_them_out(trip):
    trip.after(days=3, hours=1).look()
    done = trip.publish(SECOND, {"look": "exit"})

    assert (done.taken_out, done.inside, trip.standing()) == (3, 0, {})
    assert len(trip.rows("SELECT 1 AS n FROM journey_states WHERE left_at IS NOT NULL")) == 3


def test_a_longer_wait_is_longer_for_those_inside(trip):
    trip.publish(FIRST.replace("days = 3", "days = 5"))

    assert trip.after(days=4).look().customers == 0
    assert trip.after(days=1, hours=1).look().customers == 3


def test_a_rollback_brings_everybody_back_where_they_came_from(trip):
    trip.after(days=3, hours=1).look()
    trip.publish(SECOND, {"look": "glance"})
    done = trip.back()

    assert (done.version, done.replaces, done.moved) == (1, 2, 3)
    assert trip.standing() == {"look": 3}
    with pytest.raises(NotReady, match="no version to go back to"):
        trip.back()


def test_a_rollback_that_cannot_tell_asks(trip):
    extra = '[nodes.extra]\nkind = "wait"\nhours = 1\nnext = "glance"\n[nodes.end]'
    added = SECOND.replace('next = "glance"', 'next = "extra"').replace("[nodes.end]", extra)
    trip.publish(added)
    trip.after(days=3, minutes=10).look()
    assert trip.standing() == {"extra": 3}

    with pytest.raises(InputError, match="3 at extra"):
        trip.back()
    assert trip.back(moves={"extra": "look"}).moved == 3


def test_maps_that_name_nothing_are_refused(trip):
    with pytest.raises(UnknownName, match="no node of the version before named 'lok'"):
        trip.publish(SECOND, {"lok": "glance"})
    with pytest.raises(UnknownName, match="no node of the new version named 'nowhere'"):
        trip.publish(SECOND, {"look": "nowhere"})


def test_a_diff_names_every_field(trip):
    trip.publish(FIRST.replace("days = 3", "days = 5"))
    found = compare(trip.state, "trip", before=1, after=2)

    assert [(one.field, one.before, one.after) for one in found] == [
        ("nodes.rest.does.seconds", 259_200, 432_000)
    ]


def test_a_pause_holds_walkers_and_contacts_and_loses_nothing(trip):
    trip.after(days=3, hours=1).look()
    trip.tell("Viewed", "ann").after(hours=1).look()
    pause(trip.state, "trip", reason="a wrong price", actor="mei", now=trip.now)
    trip.tell("Viewed", "bob").after(days=3).look()
    sent = {row["customer_id"]: row["state"] for row in trip.rows("SELECT * FROM ledger")}

    assert sent == {"ann": "deferred"}
    assert trip.standing() == {"look": 2}
    resume(trip.state, "trip", actor="mei", now=trip.now)
    trip.look()
    assert trip.standing() == {}
    assert len(trip.rows("SELECT key FROM ledger")) == 2
    [step] = trip.rows(
        """SELECT t.edge FROM journey_steps AS t JOIN journey_states AS s
           ON s.instance_id = t.instance_id JOIN journey_nodes AS n ON n.node_no = t.node_no
           WHERE s.customer_id = 'bob' AND n.name = 'look'"""
    )
    assert step["edge"] == 0  # what happened meanwhile counted, not the time-out


def test_contacts_of_a_paused_journey_are_not_claimed(trip):
    trip.shop.granted(["ann"])
    trip.after(days=3, hours=1).look()
    trip.tell("Viewed", "ann").after(hours=1).look()
    # Whoever paused it did so before the contact was written.
    trip.shop.run("UPDATE journeys SET state = 'paused'", {})
    provider = trip.shop.provider()
    tick(
        trip.state,
        now=trip.now,
        channels={"sms": provider},
        gate=Gate(Policy(), zone="Asia/Shanghai"),
    )

    assert [row["state"] for row in trip.rows("SELECT state FROM ledger")] == ["deferred"]
    resume(trip.state, "trip", actor="mei", now=trip.after(minutes=1).now)
    tick(
        trip.state,
        now=trip.now,
        channels={"sms": provider},
        gate=Gate(Policy(), zone="Asia/Shanghai"),
    )
    assert [row["state"] for row in trip.rows("SELECT state FROM ledger")] == ["sent"]


def test_a_stop_is_for_good(trip):
    stop_journey(trip.state, "trip", reason="the season is over", actor="mei", now=trip.now)
    trip.tell("Came", "eve").after(days=9).look()

    assert len(trip.rows("SELECT 1 AS n FROM journey_steps")) == 0
    with pytest.raises(NotAllowed, match="was stopped"):
        trip.publish(SECOND)
    with pytest.raises(InputError, match="reason is empty"):
        pause(trip.state, "trip", reason=" ", actor="mei", now=trip.now)


def prove():
    """A hundred thousand customers inside, a version published over them and taken back.

    Returns:
        Who was lost and how long it took, for GUARANTEES.md.
    """
    people = [f"c{number:06d}" for number in range(100_000)]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/state.db"
        migrate(url)
        state = SQLState(url)
        trip = Trip(SimpleNamespace(state=state), FIRST, NOW)
        for start in range(0, len(people), 10_000):
            trip.after(minutes=1).tell("Came", *people[start : start + 10_000]).look()
        trip.after(days=3, hours=1).look()
        assert trip.standing() == {"look": len(people)}
        began = time.perf_counter()
        trip.publish(SECOND, {"look": "glance"})
        published = time.perf_counter() - began
        assert trip.standing() == {"glance": len(people)}
        began = time.perf_counter()
        trip.back()
        back = time.perf_counter() - began
        assert trip.standing() == {"look": len(people)}
        trip.look()  # they arrive anew: a first look days later would count as an outage
        trip.after(days=3).look()
        with state.reading() as opened:
            [left] = opened.all(
                "SELECT COUNT(*) AS n FROM journey_states WHERE left_at IS NOT NULL"
            )
        assert left["n"] == len(people)
    return (
        f"100,000 inside: published in {published:.1f} s, taken back in {back:.1f} s, 0 lost, "
        "all went on to the end"
    )
