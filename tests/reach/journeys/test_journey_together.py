"""Several executors at one stay: an event that is told while another walks her is not missed."""

from contextlib import nullcontext
from datetime import UTC, datetime
from threading import Event, Thread
from unittest.mock import patch

import pytest
from tests.reach.journeys.journey_shop import Trip

from regulars.errors import Transient
from regulars.reach.journeys.advancing import service as advancing
from regulars.reach.journeys.entering import service as entering
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running import service as running
from regulars.reach.journeys.running.service import running_journeys, walk_due
from regulars.reach.journeys.walking.moments import ms_of

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
WAITS = """
id = "trip"
holdout = 0
entry = { event = "Came" }
[nodes.rest]
kind = "wait"
minutes = 10
next = "look"
[nodes.look]
kind = "wait_for_event"
event = "Viewed"
timeout_minutes = 30
next = "say"
on_timeout = "end"
[nodes.say]
kind = "message"
channel = "sms"
next = "end"
[nodes.end]
kind = "exit"
"""


@pytest.fixture
def trip(shop):
    """Ann rests; she has viewed a minute after she was to go on, and nobody has looked yet."""
    one = Trip(shop, WAITS, NOW)
    one.tell("Came", "ann").look()
    return one.after(minutes=11).tell("Viewed", "ann").after(minutes=1)


def another(trip):
    """What another executor does in between: it walks a window."""
    return walk_due(trip.state, Shelf(), trip.means, 1, now=trip.now)


def beside(trip):
    """Let another executor walk between the first telling of an executor and its walking."""
    real, told = advancing.tell, []

    def tell(*given, **options):
        tale = real(*given, **options)
        if not told:
            told.append(another(trip).customers)
        return tale

    return patch.object(advancing, "tell", tell), told


def forgetful(trip):
    """An executor that forgets when it saw nobody walk itself: the bug this file is about."""
    tell = advancing.tell
    while advancing.events_wait(trip.state, trip.now):
        moves = True
        while moves:
            with patch.object(entering, "_anybody_due", lambda *_: True):
                told = tell(trip.state, Shelf(), loop=trip.means.settings.loop, now=trip.now).told
            moves = told + sum(another(trip).customers for _ in running_journeys(trip.state))
        with trip.state.transaction() as opened:
            opened.run("DELETE FROM journey_inbox")


def edges(trip):
    """The ways ann went at the node that waits: 0 by the event, 1 by time."""
    trip.after(hours=1).look()
    return [
        row["edge"]
        for row in trip.rows(
            """SELECT t.edge FROM journey_steps AS t JOIN journey_nodes AS n
               ON n.node_no = t.node_no AND n.name = 'look'
               JOIN journey_states AS s ON s.instance_id = t.instance_id
               WHERE s.customer_id = 'ann'"""
        )
    ]


def test_whoever_another_executor_brought_to_a_wait_hears_of_her_event(trip):
    patched, told = beside(trip)
    with patched:
        trip.look()

    assert (told, edges(trip)) == ([1], [0])


def test_an_executor_that_forgets_by_its_own_steps_would_miss_it(trip):
    patched, told = beside(trip)
    with patched:
        forgetful(trip)

    assert (told, edges(trip)) == ([1], [1])


def held(trip, look):
    """Look while another executor has walked her and not yet committed; gives if it waited."""
    reached, goes_on = Event(), Event()
    real = running._enrol

    def enrol(opened, joining, now):
        if not reached.is_set():
            reached.set()
            assert goes_on.wait(20)
        return real(opened, joining, now)

    with patch.object(running, "_enrol", enrol):
        slow = Thread(target=another, args=[trip])
        slow.start()
        assert reached.wait(20)
        looking = Thread(target=look)
        looking.start()
        looking.join(0.5)
        has_waited = looking.is_alive()
        goes_on.set()
        slow.join()
        looking.join()
    return has_waited


def test_an_executor_waits_for_the_others_before_it_forgets(trip):
    assert held(trip, trip.look)
    assert edges(trip) == [0]


def test_events_are_kept_while_a_journey_cannot_go_on_for_a_moment(trip):
    def busy(*_, **__):
        raise Transient("the store is busy; run the same command again")

    with patch.object(advancing, "walk_due", busy):
        assert set(trip.look().errors) == {"trip"}

    assert (trip.look().errors, edges(trip)) == ({}, [0])


@pytest.mark.parametrize("is_told", [True, False])
def test_an_event_counts_before_a_time_out_of_the_same_look(trip, is_told):
    """She comes to the wait, sees and is timed out between two looks that are an hour apart."""
    skipped = patch.object(running, "call_parked", lambda *_, **__: 0)
    with nullcontext() if is_told else skipped:
        trip.after(minutes=50).look()

    assert edges(trip) == [0 if is_told else 1]


@pytest.mark.parametrize("is_in_order", [True, False])
def test_nobody_passes_a_time_out_before_all_earlier_events_are_told(
    trip, monkeypatch, is_in_order
):
    monkeypatch.setattr(entering, "MOST_TOLD", 1)
    trip.now = NOW.replace(minute=10)
    trip.look()
    trip.after(minutes=2).tell("Came", "bob").after(minutes=2).tell("Viewed", "ann")
    trip.shop.run("DELETE FROM journey_inbox WHERE at = :at", {"at": ms_of(NOW.replace(minute=11))})
    if not is_in_order:
        real = advancing.walk_due
        monkeypatch.setattr(
            advancing,
            "walk_due",
            lambda *given, **options: real(*given, **options | {"until": ms_of(trip.now)}),
        )
    trip.after(minutes=40).look()

    assert edges(trip) == [0 if is_in_order else 1]


def test_what_happens_after_the_moment_of_a_look_waits_for_the_next(trip):
    trip.now = NOW.replace(minute=9)

    trip.look()
    assert len(trip.rows("SELECT inbox_id FROM journey_inbox")) == 1
    assert edges(trip) == [0]
