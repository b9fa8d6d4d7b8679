"""Kill the senders of a run, again and again, and count who was lost or reached twice.

Run as a script it prints the findings as JSON; `run` is what the full-size proof calls. Senders
are processes that work on one database, a file of SQLite or a PostgreSQL server, killed by SIGKILL from
outside at random moments, or by themselves at one enumerated moment between two effects. The
fake provider's record outlives them, as a real provider's memory would.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regulars.adapters.state import SQLState, migrate
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.service import account, enrol, tick, unknown
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Sending
from regulars.testing import CrashingChannel, CrashingState, CrashPoints, Died, FakeProvider
from regulars.testing.postgresql import running_server

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
RUN = Run("campaign/all/1", "all")
WINDOW = 20
SENDING = Sending(window=500, careful_window=WINDOW, patience_seconds=1, retry_first_seconds=0.05)
WORKERS = 2
NEVER = CrashPoints(0, lambda: None)


class Case:
    """One run in a database of its own, and the provider of its channel."""

    def __init__(self, folder, url, recipients, *, keyed):
        self.folder, self.url, self.keyed = folder, url, keyed
        folder.mkdir(exist_ok=True)
        self.record = folder / "deliveries"
        self.customers = [f"c{number:06d}" for number in range(recipients)]
        self.window = SENDING.window if keyed else WINDOW
        # Small runs are cut into several windows too.
        most = max(1, recipients // 3)
        self.sending = replace(
            SENDING, window=min(SENDING.window, most), careful_window=min(WINDOW, most)
        )
        state = SQLState(url)
        with state.transaction() as opened:
            opened.many(
                """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
                   VALUES (:c, 'marketing', '*', 'granted', '2026-01-01')""",
                [{"c": c} for c in self.customers],
            )
        state.close()

    def enrol(self, points=NEVER):
        members = [Member(c, "send", "chosen", channel="sms") for c in self.customers]
        state = SQLState(self.url)
        enrol(CrashingState(state, points, after_reads=True), RUN, members, now=NOW)
        state.close()

    def work(self, points=NEVER, *, at=NOW, owner="", is_serial=False):
        """One pass over the run."""
        state = SQLState(self.url)
        provider = CrashingChannel(FakeProvider(self.record, keyed=self.keyed), points)
        try:
            tick(
                CrashingState(state, points, after_reads=True),
                now=at,
                channels={"sms": provider},
                gate=Gate(Policy(), zone="Asia/Shanghai"),
                pace=Pace(self.sending, owner=owner, is_serial=is_serial),
            )
        finally:
            state.close()

    def start(self, points=NEVER, *, with_enrolment=False):
        """Fork a sender; gives its process id."""
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            if with_enrolment:
                self.enrol(points)
            self.work(points, is_serial=with_enrolment)
            status = 0
        finally:
            os._exit(status)

    def finish(self):
        """Go on without killing until everybody has a fate; leases of others have ended by then."""
        for minutes in range(0, 60, 10):
            self.work(at=NOW + timedelta(minutes=minutes), is_serial=True)

    def delivered(self):
        line = len("0" * 32 + " c000000\n")
        return self.record.stat().st_size // line if self.record.exists() else 0

    def survey(self):
        state = SQLState(self.url)
        received = Counter(c for _, c in FakeProvider(self.record, keyed=False).deliveries())
        told, doubtful = account(state, RUN.run_id), unknown(state)
        with state.reading() as opened:
            rows = opened.all("SELECT customer_id, state FROM ledger")
            counted = opened.all("SELECT COUNT(*) AS n FROM counted_contacts")[0]["n"]
        state.close()
        fate_of = {row["customer_id"]: row["state"] for row in rows}
        listed = {row["customer_id"] for row in doubtful}
        return {
            "eligible": told.eligible,
            "open": sum(told.open_by_state.values()),
            "sent": sum(fate == "sent" for fate in fate_of.values()),
            "unknown": len(listed),
            "lost": sum(c not in received and c not in listed for c in self.customers),
            "duplicates": sum(n - 1 for n in received.values()),
            "called_wrongly": sum(fate_of[c] not in {"sent", "unknown"} for c in received),
            "counted_against_cap": counted,
        }


def kill_at_random(case, kills, seed):
    """Keep two senders at work and kill one after the other; then let the run end."""
    draw = random.Random(seed)
    case.enrol()
    children = [case.start() for _ in range(WORKERS)]
    killed = 0
    whole = len(case.customers)
    for number in range(kills):
        # Spread over the whole run, so that the last kill comes before its end.
        target = min(int(whole * (number + draw.random()) / (kills + 1)), whole - 1)
        while case.delivered() < target and any(_is_running(child) for child in children):
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.01))
        victim = draw.randrange(WORKERS)
        if _is_running(children[victim]):
            os.kill(children[victim], signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(children[victim], 0)[1])
        children[victim] = case.start()
    for child in children:
        os.waitpid(child, 0)
    case.finish()
    return {"kills": killed, "window": case.window, "workers": WORKERS, **case.survey()}


def _is_running(child):
    """A child that has ended stays to be waited for."""
    found = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found is None


def kill_at_every_point(make_case):
    """Kill a small run at each moment between two effects, one process each; add up the findings."""
    total = Counter(points=0)
    while True:
        case = make_case()
        point = total["points"] + 1
        points = CrashPoints(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
        status = os.waitpid(case.start(points, with_enrolment=True), 0)[1]
        if not os.WIFSIGNALED(status):
            return dict(total)
        case.enrol()
        case.finish()
        _add(total, case.survey())


def die_at_every_point(make_case, rounds):
    """The same many times over within one process: at each round another run, at each point one."""

    def die():
        raise Died

    total = Counter(points=0)
    for _ in range(rounds):
        point = 0
        while True:
            point += 1
            case = make_case()
            try:
                case.enrol()
                case.work(CrashPoints(point, die), owner="elsewhere/1/1/1", is_serial=True)
            except Died:
                case.finish()
                _add(total, case.survey())
            else:
                break
    return dict(total)


def _add(total, found):
    total["points"] += 1
    for name in ("lost", "duplicates", "unknown", "open", "called_wrongly"):
        total[name] += found[name]
    total["most_unknown"] = max(total["most_unknown"], found["unknown"])


class Places:
    """Databases to work in: files in memory, or databases of one server."""

    def __init__(self, root, server=None):
        self._root, self._server, self._made = root, server, 0
        self._empty = f"sqlite:///{root / 'empty.db'}"
        if server is None:
            migrate(self._empty)
        else:
            self._empty = server.new_database()
            migrate(self._empty)

    def case(self, recipients, *, keyed):
        self._made += 1
        folder = self._root / str(self._made)
        folder.mkdir()
        if self._server is None:
            shutil.copy(self._root / "empty.db", folder / "state.db")
            url = f"sqlite:///{folder / 'state.db'}"
        else:
            url = self._server.new_database(like=self._empty.rsplit("/", 1)[1])
        return Case(folder, url, recipients, keyed=keyed)


def run(kills, recipients, seed, *, rounds=1, point_recipients=6, databases=("sqlite",)):
    """Prove the promise of the send ledger.

    Args:
        kills: SIGKILLs per kind of provider.
        recipients: Customers contacted per kind of provider.
        seed: Root of the random moments.
        rounds: How often each enumerated moment is died at.
        point_recipients: Customers of the small runs killed at every enumerated moment.
        databases: Databases to prove it on: sqlite, postgresql.

    Returns:
        Findings by database and kind of provider: "random" for kills from outside, "every_point"
        for every enumerated moment, "rounds" for the same many times.
    """
    # In memory where there is such a place: a SIGKILL loses no write, so no disk is needed.
    memory = Path("/dev/shm")
    found = {}
    for database in databases:
        with ExitStack() as stack:
            named = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
            root = Path(stack.enter_context(named))
            server = stack.enter_context(running_server()) if database == "postgresql" else None
            places = Places(root, server)
            for name, keyed in (("keyed", True), ("unkeyed", False)):
                one = found.setdefault(database, {}).setdefault(name, {})
                one["random"] = kill_at_random(places.case(recipients, keyed=keyed), kills, seed)
                if database == "sqlite":

                    def small(keyed=keyed, places=places):
                        return places.case(point_recipients, keyed=keyed)

                    one["every_point"] = kill_at_every_point(small)
                    one["rounds"] = die_at_every_point(small, rounds)
    return found


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--databases", default="sqlite,postgresql")
    given = parser.parse_args()
    result = run(
        given.kills,
        given.recipients,
        given.seed,
        rounds=given.rounds,
        databases=given.databases.split(","),
    )
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
