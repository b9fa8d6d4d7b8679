"""A journey that meets a passing trouble again and again holds up nobody but itself."""

import random
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from tests.reach.journeys.journey_shop import Trip
from tests.reach.journeys.journey_world import GROUND, World, history
from tests.reach.test_ledger_simulation import image

from regulars.errors import Transient
from regulars.reach.journeys.advancing import service as advancing
from regulars.reach.journeys.definition.reading import parse
from regulars.reach.journeys.entering import service as entering
from regulars.reach.journeys.keeping.publishing.service import publish
from regulars.reach.journeys.keeping.service import put_journey
from regulars.reach.journeys.running.service import running_journeys

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SEEDS, PLANTED_SEEDS = range(25), range(60)
WAITS = """
id = "trip"
holdout = 0
entry = { event = "Came" }
exit_on = { event = "Bought" }
[nodes.look]
kind = "wait_for_event"
event = "Viewed"
timeout_minutes = 30
next = "say"
on_timeout = "rest"
[nodes.rest]
kind = "wait"
minutes = 10
next = "say"
[nodes.say]
kind = "message"
channel = "sms"
next = "end"
[nodes.end]
kind = "exit"
"""
OTHER = WAITS.replace('"trip"', '"other"').replace('"Viewed"', '"Looked"')
BEHIND = (
    WAITS
    .replace('"trip"', '"behind"')
    .replace('"Came"', '"came"')
    .replace('"Viewed"', '"viewed"')
    .replace('"Bought"', '"bought"')
)


def troubled(is_troubled):
    """Walking meets a passing trouble where a function of the journey's number says so."""
    real = advancing.walk_due

    def walk_due(state, shelf, means, number, **given):
        if is_troubled(number):
            raise Transient("the store is busy; run the same command again")
        return real(state, shelf, means, number, **given)

    return patch.object(advancing, "walk_due", walk_due)


@pytest.fixture
def trip(shop, monkeypatch):
    """Two journeys, and a look for every event of its own."""
    monkeypatch.setattr(entering, "MOST_TOLD", 1)
    one = Trip(shop, WAITS, NOW)
    Trip(shop, OTHER, NOW)
    return one


def went(trip):
    """The ways everybody went, by journey and customer."""
    found = {}
    for row in trip.rows(
        """SELECT j.journey_id, s.customer_id, n.name, t.edge FROM journey_steps AS t
           JOIN journey_states AS s ON s.instance_id = t.instance_id
           JOIN journeys AS j ON j.journey_no = s.journey_no
           JOIN journey_nodes AS n ON n.node_no = t.node_no AND n.journey_no = s.journey_no
           ORDER BY t.instance_id, t.visit"""
    ):
        who = (row["journey_id"], row["customer_id"])
        found[who] = [*found.get(who, []), (row["name"], row["edge"])]
    return found


def happen(trip):
    """Ann comes and views, bob comes, looks, and everything is some minutes old."""
    trip.after(minutes=1).tell("Came", "ann").after(minutes=1).tell("Came", "bob")
    trip.after(minutes=1).tell("Viewed", "ann").after(minutes=1).tell("Looked", "bob")
    return trip.after(minutes=30)


SAID = [("say", 0), ("end", -4)]


def test_the_others_are_told_and_walked_on_while_one_meets_trouble(trip):
    happen(trip)
    with troubled(lambda number: number == 1):
        done = trip.look()
        assert set(done.errors) == {"trip"}
        assert went(trip) == {
            ("other", "ann"): [("look", 1)],
            ("other", "bob"): [("look", 0), *SAID],
        }
        trip.after(minutes=10).look()
        assert went(trip)["other", "ann"] == [("look", 1), ("rest", 0), *SAID]
        # What nobody but the others listen to is forgotten, what is kept is told to it alone.
        kept = trip.rows("SELECT e.name FROM journey_inbox AS i JOIN journey_events AS e "
                         "ON e.event_no = i.event_no ORDER BY i.at")  # fmt: skip
        assert [row["name"] for row in kept] == ["Came", "Came", "Viewed"]
    done = trip.look()

    assert done.errors == {} and trip.rows("SELECT * FROM journey_inbox") == []
    assert went(trip)["trip", "ann"] == [("look", 0), *SAID]
    assert went(trip)["trip", "bob"] == [("look", 1), ("rest", 0), *SAID]
    assert len(trip.rows("SELECT key FROM ledger WHERE run_id = 'journey/other'")) == 2


class Beside(World):
    """A history with another journey in it that listens to everything and never goes on."""

    def __init__(self, seed, image):
        super().__init__(seed, image)
        given = parse(BEHIND, is_json=False)
        row = put_journey(self.state, given, ground=GROUND, actor="ann", now=self.now)
        publish(self.state, row.id, version=1, moves={}, actor="ann", now=self.now)
        [self.behind] = [n for n, name in running_journeys(self.state).items() if name == "behind"]
        self.waiting = 0

    def edit(self):
        """No other version: what is kept for the other journey would count for it."""

    def look(self):
        with troubled(lambda number: number == self.behind):
            super().look()

    def is_in_trouble(self, errors):
        return super().is_in_trouble(errors.keys() - {"behind"})

    def check(self):
        self.waiting = len(self.state.all("SELECT * FROM journey_inbox"))
        with self.state.transaction() as opened:
            for table in ("journey_states", "journey_nodes"):
                opened.run(f"DELETE FROM {table} WHERE journey_no = :n", n=self.behind)
        super().check()


class Again(World):
    """A history whose journey meets trouble now and then; whoever looks again goes on."""

    def __init__(self, seed, image):
        self.troubles, self._luck = 0, random.Random(seed)
        super().__init__(seed, image)

    def look(self):
        with troubled(self._is_troubled):
            super().look()

    def _is_troubled(self, _number):
        is_troubled = self._luck.random() < 0.2
        self.troubles += is_troubled
        return is_troubled

    def is_in_trouble(self, errors):
        self.expect(errors.keys() <= {"trip"}, f"refused: {errors}")
        return bool(errors)


def live(kind, seeds=SEEDS):
    """Live seeds with two events told at once; give the worlds up to the first that breaks."""
    worlds = []
    with patch.object(entering, "MOST_TOLD", 2):
        for seed in seeds:
            worlds.append(history(seed, image(), kind=kind))
            if worlds[-1].broken:
                break
    return worlds


def test_customers_of_the_others_take_every_step_as_if_there_was_no_trouble():
    worlds = live(Beside)

    assert worlds[-1].broken == []
    assert sum(one.waiting for one in worlds) > 500  # all was kept for the one behind
    assert sum(sum(one.done.values()) for one in worlds) > 500


def test_whoever_was_held_up_takes_every_step_afterwards():
    worlds = live(Again)

    assert worlds[-1].broken == []
    assert sum(one.troubles for one in worlds) > 100


def kept_for_nobody():
    """What the one in trouble has still to be told is forgotten with the rest."""
    real = advancing.tell
    return patch.object(
        advancing, "tell", lambda *given, **options: real(*given, **options | {"kept_back": ()})
    )


def walked_on_untold():
    """The one in trouble goes on within the look, past what it was not told."""
    real = advancing._walk_all

    def walk_all(*given):
        *rest, kept_back = given
        anew = set()
        real(*rest, anew)
        kept_back |= anew

    return patch.object(advancing, "_walk_all", walk_all)


def told_as_if_it_were_late():
    """Events count for the one in trouble although its time was over before them."""
    real = entering.call

    def call(opened, shelf, events, *, is_late=False, besides=()):
        return real(opened, shelf, events, is_late=is_late)

    return patch.object(entering, "call", call)


@pytest.mark.parametrize("bug", [kept_for_nobody, walked_on_untold, told_as_if_it_were_late])
def test_a_bug_about_trouble_is_seen(bug):
    with bug():
        assert live(Again, PLANTED_SEEDS)[-1].broken
