"""Executors killed from outside at any moment, several at once: the rows are those of an undisturbed run."""

import os
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

from tests.reach.journeys.journey_shop import Trip, means

from regulars.adapters.state import SQLState, migrate
from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.entering import service as entering
from regulars.reach.journeys.entering.service import Coming, let_in
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.settings import Loop
from regulars.testing.postgresql import running_server

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
WORKERS = 2
TOUR = """
id = "tour"
holdout = 0.1
reentry = "always"
keeps = ["shop"]
entry = { event = "Came" }
exit_on = [{ event = "Bought", is_goal = true }]
[nodes.hello]
kind = "message"
channel = "sms"
next = "rest"
[nodes.rest]
kind = "wait"
minutes = 10
next = "look"
[nodes.look]
kind = "wait_for_event"
event = "Viewed"
timeout_minutes = 30
next = "call"
on_timeout = "lot"
[nodes.call]
kind = "webhook"
hook = "crm"
next = "lot"
[nodes.lot]
kind = "split"
arms = [{ name = "again", next = "rest2" }, { name = "over", next = "end" }]
[nodes.rest2]
kind = "wait"
minutes = 20
next = "bye"
[nodes.bye]
kind = "message"
channel = "sms"
next = "end"
[nodes.end]
kind = "exit"
"""


def feed(trip, customers, moment):
    """The same events at the same look, whoever is killed."""
    draw = random.Random(moment)
    for name in ("Came", "Viewed", "Bought"):
        share = {"Came": 3, "Viewed": 4, "Bought": 9}[name]
        trip.tell(name, *(one for one in customers if draw.randrange(share) == 0), shop="a")


def lived(trip, customers, looks, walk):
    """Events and a look every few minutes."""
    for moment in range(looks):
        trip.after(minutes=7)
        feed(trip, customers, moment)
        walk(moment)
    trip.after(hours=3)
    walk(looks)


def rows_of(state):
    """Everything that came of it, told without the numbers the store gave."""
    with state.reading() as opened:
        stays = {
            row["instance_id"]: (row["customer_id"], row["occurrence"])
            for row in opened.all("SELECT instance_id, customer_id, occurrence FROM journey_states")
        }
        steps = Counter(
            (*stays[row["instance_id"]], row["visit"], row["node_no"], row["edge"], row["at"])
            for row in opened.all("SELECT * FROM journey_steps")
        )
        sent = Counter(
            (row["customer_id"], row["step"]) for row in opened.all("SELECT * FROM ledger")
        )
        calls = Counter(row["customer_id"] for row in opened.all("SELECT * FROM journey_acts"))
    return {"stays": Counter(stays.values()), "steps": steps, "sent": sent, "calls": calls}


class Killer:
    """Lets executors work in processes of their own and kills them at random moments."""

    def __init__(self, trip, url, kills, seed):
        self._trip, self._url, self._left = trip, url, kills
        self._draw, self.kills = random.Random(seed), 0

    def walk(self, _moment):
        """Kill a few, then let one finish."""
        for _ in range(self._draw.randint(0, 4)):
            if self._left:
                self._one(self._draw.uniform(0.001, 0.08))
        self._one(None)

    def _one(self, seconds):
        children = [self._begin() for _ in range(WORKERS)]
        if seconds is not None:
            time.sleep(seconds)
            for child in children:
                os.kill(child, signal.SIGKILL)
        for child in children:
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                self.kills, self._left = self.kills + 1, max(0, self._left - 1)
            else:
                assert os.waitstatus_to_exitcode(status) == 0

    def _begin(self):
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            advance(SQLState(self._url), means(most=40, loop=Loop()), now=self._trip.now)
            code = 0
        finally:
            os._exit(code)


def killed(folder, urls, *, customers, looks, kills, seed=1):
    """Live the same history with and without kills; give what differs and how many died."""
    people = [f"c{number:05d}" for number in range(customers)]
    found = []
    died = 0
    for url, is_calm in zip(urls, (True, False), strict=True):
        state = SQLState(url)
        trip = Trip(SimpleNamespace(state=state), TOUR, NOW, most=40, loop=Loop())
        # What children write must not be read over a connection of before the fork.
        killer = Killer(trip, url, kills, seed)
        lived(trip, people, looks, (lambda _moment, t=trip: t.look()) if is_calm else killer.walk)
        died += 0 if is_calm else killer.kills
        found.append(rows_of(state))
        state.close()
    calm, disturbed = found
    assert folder
    lost = {name: calm[name] - disturbed[name] for name in calm}
    repeated = {name: disturbed[name] - calm[name] for name in calm}
    return (
        died,
        sum(map(Counter.total, lost.values())),
        sum(map(Counter.total, repeated.values())),
        calm,
    )


def test_killed_executors_lose_nobody_and_repeat_no_step(new_shop):
    calm, disturbed = new_shop(), new_shop()
    died, lost, repeated, rows = killed(
        calm.folder, [calm.url, disturbed.url], customers=120, looks=9, kills=40
    )

    assert (lost, repeated) == (0, 0)
    assert died >= 10
    assert rows["steps"].total() > 200 and rows["sent"].total() > 100 and rows["calls"].total() > 20


def test_one_occurrence_lets_in_once_however_many_tell_of_it(new_shop, monkeypatch):
    """Eight workers tell of the same, each as if nobody had been let in: the key alone holds."""
    monkeypatch.setattr(entering, "_before", lambda *_: {})

    assert entered_by_eight(new_shop()) == {"states": 200, "customers": 200}


def test_without_its_key_an_occurrence_would_let_in_twice(new_shop, monkeypatch):
    statements = dict(entering._SQL._statements)
    add = statements["add"]
    parts = {"sqlite": str(add), "postgresql": add.spoken("postgresql")}
    drawn = {"sqlite": "hex(randomblob(9))", "postgresql": "CAST(random() AS text)"}
    changed = {
        dialect: text.replace("value ->> 0, value ->> 1,", f"value ->> 0, {drawn[dialect]},")
        for dialect, text in parts.items()
    }
    statements["add"] = type(add)(changed["sqlite"], {"postgresql": changed["postgresql"]})
    monkeypatch.setattr(entering._SQL, "_statements", statements)
    monkeypatch.setattr(entering, "_before", lambda *_: {})

    assert entered_by_eight(new_shop())["states"] == 8 * 200


def entered_by_eight(shop):
    trip = Trip(shop, TOUR.replace('reentry = "always"', 'reentry = "never"'), NOW, loop=Loop())
    shelf, errors = Shelf(), []

    def work():
        try:
            for start in range(0, 200, 50):
                comings = [Coming(f"c{n}", "e", 1, "hello") for n in range(start, start + 50)]
                with shop.state.sharing() as opened:
                    let_in(opened, shelf.get(opened, 1, 1), comings, loop=Loop())
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    [row] = trip.rows(
        "SELECT COUNT(*) AS states, COUNT(DISTINCT customer_id) AS customers FROM journey_states"
    )
    return row


def test_eight_executors_take_every_step_once(new_shop):
    calm, busy = new_shop(), new_shop()
    people = [f"c{number:03d}" for number in range(150)]
    found = []
    for shop, workers in ((calm, 1), (busy, 8)):
        trip = Trip(shop, TOUR, NOW, most=9, loop=Loop())

        def walk(_moment, trip=trip, workers=workers):
            errors = []

            def look():
                try:
                    trip.look()
                except Exception as error:  # noqa: BLE001 - told below
                    errors.append(error)

            threads = [Thread(target=look) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors == []
            # A look ends when it has worked long enough: what it left is the next one's.
            walked = -1
            while walked != (walked := rows_of(trip.shop.state)["steps"].total()):
                trip.look()

        lived(trip, people, 6, walk)
        found.append(rows_of(shop.state))

    alone, together = found
    assert alone == together
    assert alone["steps"].total() > 300


def test_a_lost_step_would_be_seen(new_shop):
    """The comparison itself: a customer less, or a step more, is a difference."""
    calm, other = new_shop(), new_shop()
    for shop in (calm, other):
        trip = Trip(shop, TOUR, NOW, loop=Loop())
        lived(trip, ["ann", "bob", "cyd", "dan"], 4, lambda _moment, t=trip: t.look())
    assert rows_of(calm.state) == rows_of(other.state)
    other.run(
        "DELETE FROM journey_steps WHERE instance_id = (SELECT MIN(instance_id) FROM journey_steps) AND visit = 0",
        {},
    )

    assert rows_of(calm.state) != rows_of(other.state)


def prove():
    """A thousand kills on each database.

    Returns:
        What was lost and repeated, for GUARANTEES.md.
    """
    told = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_server())
        places = {
            "SQLite": [f"sqlite:///{folder / name}.db" for name in ("calm", "killed")],
            "PostgreSQL": [server.new_database(), server.new_database()],
        }
        for name, urls in places.items():
            for url in urls:
                migrate(url)
            died, lost, repeated, rows = killed(folder, urls, customers=300, looks=260, kills=1000)
            assert (lost, repeated) == (0, 0), (name, lost, repeated)
            told.append(f"{name} {died:,} killed, {rows['steps'].total():,} steps")
    return f"{'; '.join(told)}: 0 lost, 0 repeated"
