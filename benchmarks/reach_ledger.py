"""Claim contacts from the send ledger, every rule and cap asked; and work a queue off to its end.

Contacts claimed per second on SQLite, against the 30,000 the system is built for; the same on a PostgreSQL
server with one worker and with two; and whole jobs (taken, handed over, settled) on the same server, side by
side with procrastinate, a queue of jobs on PostgreSQL. One channel of two that takes long, and what it
costs the other. Why one customer was or was not contacted, slowest of twenty, against 200 ms.
Run: python benchmarks reach_ledger
"""

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regulars.adapters.state import SQLState, migrate
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.ledger.service import Ledger
from regulars.reach.delivery.service import enrol, tick, why
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Sending
from regulars.testing.postgresql import running_server, server_programs

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
ZONE = "Asia/Shanghai"
CONTACTS, ON_SERVER, JOBS = 100_000, 40_000, 2_000
CLAIMED_AT_ONCE, ON_SERVER_AT_ONCE = 4_000, 500
SLOW_SECONDS = 3.0


def main() -> Iterator[dict[str, Any]]:
    """Give one row per figure."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'state.db'}"
        _fill(url, CONTACTS)
        took = _timed(lambda: _claim(url, CLAIMED_AT_ONCE))
        yield _row(f"{CONTACTS:,} claims on SQLite", took, "the bar", CONTACTS / 30_000)
        yield _row("why, slowest of 20", _slowest_why(url), "the bar", 0.2)
        yield _slow_beside(Path(name))
    if server_programs() is None:
        return
    with running_server(is_durable=True) as server:
        took_by_workers = {}
        for workers in (1, 2):
            url = server.new_database()
            _fill(url, ON_SERVER)
            took_by_workers[workers] = _claim_by(url, workers)
        what = f"{ON_SERVER:,} claims on PostgreSQL"
        yield _row(what, took_by_workers[1], "the bar", ON_SERVER / 30_000)
        yield _row(
            what, took_by_workers[2], "with one", took_by_workers[1], ours="with two workers"
        )
        url = server.new_database()
        _fill(url, JOBS)
        ours = _timed(lambda: _work_off(url))
        theirs = asyncio.run(_procrastinate(server.new_database()))
        yield _row(f"{JOBS:,} jobs on PostgreSQL to their end", ours, "procrastinate", theirs)


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


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _fill(url: str, contacts: int, channel: str = "sms") -> None:
    """Customers who agreed, and a run with all of them."""
    migrate(url)
    state = SQLState(url)
    customers = [f"c{number:07d}" for number in range(contacts)]
    with state.transaction() as opened:
        opened.many(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:c, 'marketing', '*', 'granted', '2026-01-01')""",
            [{"c": customer} for customer in customers],
        )
    members = [Member(customer, "send", "chosen", channel=channel) for customer in customers]
    enrol(state, Run("campaign/spring/all", "spring"), members, now=NOW)
    state.close()


def _claim(url: str, at_once: int) -> int:
    """Claim until nothing is left: rules asked, caps reserved, rows moved."""
    state = SQLState(url)
    ledger = Ledger(state, Gate(Policy(), zone=ZONE), Pace(Sending(), owner="bench"))
    claimed = 0
    while (window := ledger.claim("sms", "marketing", at_once, now=NOW)).looked:
        claimed += len(window.rows)
    state.close()
    return claimed


def _claim_by(url: str, workers: int) -> float:
    """Let processes claim that have started up already."""
    command = [sys.executable, __file__, url]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    for worker in started:
        assert worker.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for worker in started:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = sum(int(worker.stdout.readline()) for worker in started)
    took = time.perf_counter() - began
    for worker in started:
        worker.communicate()
    assert claimed == ON_SERVER
    return took


def _serve_claims(url: str) -> None:
    """Say that everything is loaded, wait for the word, claim, and say how many."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{_claim(url, ON_SERVER_AT_ONCE)}\n")
    sys.stdout.flush()


class Taking:
    """A channel that takes everything, at once or slowly."""

    recovery = Recovery.RESEND
    key_seconds = 86_400
    carries_messages = False

    def __init__(self, seconds: float = 0.0) -> None:
        """Remember how long a call takes."""
        self.seconds, self.taken = seconds, 0

    def send(self, contacts: Any, /) -> dict[str, Answer]:
        """Take everything."""
        time.sleep(self.seconds)
        self.taken += len(contacts)
        return {contact.key: Answer(Outcome.ACCEPTED) for contact in contacts}

    @staticmethod
    def find(_keys: Any, /) -> dict[str, Answer]:
        """Nothing to find."""
        return {}

    def close_turn(self, turn: int, /) -> None:
        """Nothing to close."""


def _work_off(url: str, channels: dict[str, Any] | None = None) -> None:
    state = SQLState(url)
    given = channels or {"sms": Taking()}
    tick(state, now=NOW, channels=given, gate=Gate(Policy(cap_contacts=9), zone=ZONE))
    state.close()


def _slow_beside(folder: Path) -> dict[str, Any]:
    """Work one channel off alone, then with a channel beside it whose calls take seconds."""
    took = []
    for name, others in (("alone", {}), ("beside", {"app": Taking(SLOW_SECONDS)})):
        url = f"sqlite:///{folder / name}.db"
        _fill(url, 40_000)
        state = SQLState(url)
        waiting = [Member(f"c{n:07d}", "send", "chosen", channel="app") for n in range(500)]
        enrol(state, Run("campaign/slow/all", "slow"), waiting, now=NOW)
        sms = Taking()
        sender = threading.Thread(target=_work_off, args=[url, {"sms": sms, **others}])
        began = time.perf_counter()
        sender.start()
        while sms.taken < 40_000:
            time.sleep(0.005)
        took.append(time.perf_counter() - began)
        sender.join()
        state.close()
    what = f"40,000 contacts beside a channel that takes {SLOW_SECONDS:.0f} s a call"
    return _row(what, took[1], "alone", took[0])


def _slowest_why(url: str) -> float:
    state = SQLState(url)
    slowest = 0.0
    for number in range(0, CONTACTS, CONTACTS // 20):
        slowest = max(slowest, _timed(lambda number=number: why(state, f"c{number:07d}")))
    state.close()
    return slowest


async def _procrastinate(url: str) -> float:
    """The same number of jobs that do nothing, by a worker that takes 20 at once."""
    import procrastinate  # noqa: PLC0415 - a peer, only here

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="send")
    async def send(customer: str) -> None:
        """Take it."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await send.batch_defer_async(*[{"customer": f"c{number}"} for number in range(JOBS)])
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=20, install_signal_handlers=False)
        return time.perf_counter() - began


if __name__ == "__main__":
    _serve_claims(sys.argv[1])
