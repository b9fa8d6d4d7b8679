"""Walk a million customers through a journey; publish and take back a version with 100,000 inside.

In a process of its own: what a million parked customers cost on disk (100 MB) and in memory (250 MB), and
steps per processor second on SQLite, against 30,000. A version published over 100,000 customers inside and
taken back, against 5 seconds. On a PostgreSQL server: steps of a customer who waits and goes on, with one
worker and two, side by side with procrastinate, whose step is one job of its queue.
Run: python benchmarks reach_journeys
"""

import asyncio
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from regulars.adapters.state import SQLState, migrate
from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.definition.reading import Ground, parse
from regulars.reach.journeys.entering.service import Coming, let_in
from regulars.reach.journeys.keeping.publishing.service import publish, roll_back
from regulars.reach.journeys.keeping.service import put_journey, standing_at
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running.service import Means
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.standing.gate import Gate
from regulars.settings import Loop, Policy, Settings
from regulars.testing.postgresql import running_server, server_programs

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
LOOP = Loop(global_holdout=0.0)
PARKED, EDITED, ON_SERVER, JOBS = 1_000_000, 100_000, 40_000, 2_000
AT_ONCE = 20_000
JOURNEY = """
id = "long"
holdout = 0
entry = { event = "Came" }
[nodes.first]
kind = "wait"
days = 1
next = "lot"
[nodes.lot]
kind = "split"
arms = [{ name = "a", next = "look" }, { name = "b", next = "rest" }]
[nodes.look]
kind = "wait_for_event"
event = "Viewed"
timeout_days = 2
next = "end"
on_timeout = "end"
[nodes.rest]
kind = "wait"
days = 5
next = "end"
[nodes.end]
kind = "exit"
"""
WITH_MESSAGE = (
    JOURNEY.replace(
        '[nodes.first]\nkind = "wait"\ndays = 1\nnext = "lot"',
        '[nodes.first]\nkind = "message"\nchannel = "sms"\nnext = "rest"',
    ).split("[nodes.lot]")[0]
    + "[nodes.rest]"
    + JOURNEY.split("[nodes.rest]")[1]
)
EDIT = JOURNEY.replace("nodes.first", "nodes.begin").replace("days = 5", "days = 6")


def main() -> Iterator[dict[str, Any]]:
    """Give one row per figure; seconds are processor seconds where the row says so."""
    found = _beside("parked")
    what = (
        f"{found['parked']:,} parked: {found['disk_mb']:.0f} MB more on disk of 100, "
        f"{found['memory_mb']:.0f} MB held of 250; {found['steps']:,} steps on SQLite, processor"
    )
    yield _row(what, found["seconds"], "the bar", found["steps"] / 30_000)
    what = f"{found['steps']:,} steps on SQLite, by the clock"
    yield _row(what, found["clock"], "the bar", found["steps"] / 30_000)
    found = _beside("contacts")
    what = f"{found['steps']:,} steps that each hand a contact to the ledger, processor"
    yield _row(what, found["seconds"], "the bar", found["steps"] / 30_000)
    found = _beside("edited")
    yield _row(
        f"publish over {EDITED:,} inside, {found['lost']} lost", found["publish"], "the bar", 5.0
    )
    yield _row(f"roll back {EDITED:,} inside, {found['lost']} lost", found["back"], "the bar", 5.0)
    if server_programs() is None:
        return
    with running_server(is_durable=True) as server:
        took = {
            workers: _on_server(server.new_database(), ON_SERVER, workers) for workers in (1, 2)
        }
        what = f"{ON_SERVER:,} waits ended on PostgreSQL"
        yield _row(what, took[1], "the bar", ON_SERVER / 30_000)
        yield _row(what, took[2], "with one", took[1], ours="with two workers")
        ours = _on_server(server.new_database(), JOBS, 1)
        theirs = asyncio.run(_procrastinate(server.new_database()))
        yield _row(f"{JOBS:,} waits ended on PostgreSQL", ours, "procrastinate", theirs)


def _row(
    what: str, ours_seconds: float, peer: str, peer_seconds: float, *, ours: str = "Regulars"
) -> dict[str, Any]:
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "ours_seconds": ours_seconds,
        "peer_seconds": peer_seconds,
    }


def _beside(what: str) -> dict[str, Any]:
    """Measure in a process that has done nothing else."""
    done = subprocess.run(
        [sys.executable, __file__, what], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _means() -> Means:
    settings = Settings(loop=LOOP)
    nobody: Any = None
    return Means(settings, Gate(Policy(), zone="Asia/Shanghai"), nobody, nobody)


def _begun(url: str, text: str, customers: int) -> SQLState:
    """A journey with everybody in it."""
    migrate(url)
    state, shelf = SQLState(url), Shelf()
    given, ground = parse(text, is_json=False), Ground(channels=["sms"])
    put_journey(state, given, ground=ground, actor="bench", now=NOW)
    publish(state, "long", version=1, moves={}, actor="bench", now=NOW)
    for start in range(0, customers, AT_ONCE):
        part = range(start, min(customers, start + AT_ONCE))
        with state.transaction() as opened:
            book = shelf.get(opened, 1, 1)
            comings = [
                Coming(f"c{n:07d}", "", ms_of(NOW) + n % 3_600_000, next(iter(book.journey.nodes)))
                for n in part
            ]
            let_in(opened, book, comings, loop=LOOP)
    return state


def _measured(kind: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "state.db"
        url = f"sqlite:///{path}"
        migrate(url)
        before = path.stat().st_size
        if kind == "edited":
            return _edited(url)
        text, customers = (JOURNEY, PARKED) if kind == "parked" else (WITH_MESSAGE, 100_000)
        state, found = _begun(url, text, customers), {}
        if kind == "parked":
            # Everybody arrives at the first wait; what is measured as steps comes after.
            advance(state, _means(), now=NOW + timedelta(hours=2))
            found["disk_mb"] = (_size(path) - before) / 1e6
        used, clock = time.process_time(), time.perf_counter()
        done = advance(state, _means(), now=NOW + timedelta(days=1, hours=2))
        found["seconds"] = time.process_time() - used
        found["clock"] = time.perf_counter() - clock
        found["steps"] = done.steps
        found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return found | {"parked": customers}


def _edited(url: str) -> dict[str, Any]:
    state = _begun(url, JOURNEY, EDITED)
    advance(state, _means(), now=NOW + timedelta(hours=2))
    given = parse(EDIT.replace('start = "first"', 'start = "begin"'), is_json=False)
    put_journey(state, given, ground=Ground(channels=["sms"]), actor="bench", now=NOW)
    now = NOW + timedelta(hours=3)
    began = time.perf_counter()
    publish(state, "long", version=2, moves={"first": "begin"}, actor="bench", now=now)
    published = time.perf_counter() - began
    began = time.perf_counter()
    roll_back(state, "long", moves={}, actor="bench", now=now)
    back = time.perf_counter() - began
    inside = sum(one.customers for one in standing_at(state, "long"))
    return {"publish": published, "back": back, "lost": EDITED - inside}


def _size(path: Path) -> int:
    opened = sqlite3.connect(path)
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    return os.stat(path).st_size


def _on_server(url: str, customers: int, workers: int) -> float:
    """Seconds in which everybody's wait ends, by so many processes."""
    state = _begun(url, JOURNEY.replace('next = "lot"', 'next = "rest"').replace(
        JOURNEY[JOURNEY.index("[nodes.lot]") : JOURNEY.index("[nodes.rest]")], ""), customers)  # fmt: skip
    advance(state, _means(), now=NOW + timedelta(hours=2))
    state.close()
    if workers == 1:
        began = time.perf_counter()
        advance(SQLState(url), _means(), now=NOW + timedelta(days=1, hours=2))
        return time.perf_counter() - began
    begun = [
        subprocess.Popen([sys.executable, __file__, "work", url], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        for _ in range(workers)
    ]  # fmt: skip
    for one in begun:
        assert one.stdout is not None
        one.stdout.readline()
    began = time.perf_counter()
    for one in begun:
        one.communicate(b"go\n")
    return time.perf_counter() - began


def _work(url: str) -> None:
    state = SQLState(url)
    with state.reading():
        print("ready", flush=True)
    sys.stdin.readline()
    advance(state, _means(), now=NOW + timedelta(days=1, hours=2))


async def _procrastinate(url: str) -> float:
    """As many jobs that do nothing, by a worker that takes 20 at once."""
    import procrastinate  # noqa: PLC0415 - a peer, only here

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="go_on")
    async def go_on(customer: str) -> None:
        """Take the step."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await go_on.batch_defer_async(*[{"customer": f"c{number}"} for number in range(JOBS)])
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=20, install_signal_handlers=False)
        return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1] == "work":
        _work(sys.argv[2])
    else:
        print(json.dumps(_measured(sys.argv[1])))
