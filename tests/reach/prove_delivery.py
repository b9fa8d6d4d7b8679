"""Kill the delivery of a turn, again and again, and count who was lost or reached twice.

Run as a script it prints the findings as JSON; `run` is what the full-size proof calls.
A child process is killed by SIGKILL, either from outside at a random moment or by itself at
one enumerated moment between two effects. The fake provider's record outlives it, as a real
provider's memory would.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from argparse import ArgumentParser
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from regulars.adapters.state import SQLState, migrate
from regulars.ports.state import Queries
from regulars.reach.delivery import planned_rows
from regulars.reach.delivery.service import account, contacts_of, dispatch, plan
from regulars.records import Turn
from regulars.settings import Policy
from regulars.testing import CrashingChannel, CrashingState, CrashPoints, FakeProvider

TURN = Turn(number=1, as_of=date(2026, 3, 1), now=datetime(2026, 3, 2, 2, tzinfo=UTC), seed=7)
ZONE = "Asia/Shanghai"
WINDOW = 20
WORKERS = 2
NEVER = CrashPoints(0, lambda: None)
SQL = Queries("regulars.reach.delivery")


class RandomKeys:
    """Planted bug: every attempt draws a key of its own, so the provider cannot know it."""

    def __init__(self, provider):
        self._provider, self.recovery = provider, provider.recovery
        self.key_seconds, self.carries_messages = provider.key_seconds, False

    def send(self, contacts, /):
        drawn = {uuid.uuid4().hex: contact for contact in contacts}
        sent = self._provider.send([replace(one, key=key) for key, one in drawn.items()])
        return {drawn[key].key: answer for key, answer in sent.items()}


def deliver(state, provider, workers=WORKERS):
    """The design under test."""
    dispatch(state, TURN, channels={"sms": provider}, policy=Policy(), zone=ZONE, workers=workers)


def deliver_with_random_keys(state, provider):
    deliver(state, RandomKeys(provider))


def deliver_after_confirming(state, provider):
    """Planted bug: what was claimed is called sent before it is sent."""
    with state.reading() as opened:
        batches = opened.all(SQL["batches"], turn=TURN.number, state="planned")
    for row in batches:
        with state.transaction() as opened:
            opened.run(SQL["claim"], batch=row["batch"], at=TURN.now.isoformat())
            claimed = opened.all(SQL["claimed"], batch=row["batch"])
            opened.run(SQL["confirm"], batch=row["batch"])
        provider.send([_contact(one) for one in claimed])


def _contact(row):
    from regulars.ports.channels import Contact

    names = ("key", "customer_id", "campaign_id", "offer_id", "channel")
    return Contact(**{n: row[n] for n in names}, cost=Decimal(0), at=TURN.now, turn=TURN.number)


# Name: who delivers, is the provider keyed, contacts per batch.
DESIGNS = {
    "keyed": (deliver, True, 500),
    "unkeyed": (deliver, False, WINDOW),
    "bug_random_keys": (deliver_with_random_keys, True, 500),
    "bug_confirm_first": (deliver_after_confirming, True, 500),
}


class Case:
    """One turn of one design, in a folder of its own."""

    def __init__(self, folder, database, recipients, design):
        self.folder = folder
        folder.mkdir()
        shutil.copy(database, folder / "state.db")
        self._deliver, self._keyed, self.window = DESIGNS[design]
        self.customers = [f"c{number:06d}" for number in range(recipients)]
        self.record = folder / "deliveries"
        self._rows = planned_rows(
            [self._decision(c) for c in self.customers],
            turn=TURN.number,
            channel_costs={"sms": Decimal("0.05")},
            window=min(self.window, max(1, recipients // 3)),
        )
        state = self._open()
        with state.transaction() as opened:
            opened.many(
                """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
                   VALUES (:c, 'marketing', '*', 'granted', '2026-01-01')""",
                [{"c": c} for c in self.customers],
            )
        state.close()

    def plan(self, points=NEVER):
        state = self._open()
        plan(CrashingState(state, points), TURN.number, self._rows)
        state.close()

    def start(self, points=NEVER, *, with_plan=False):
        """Fork a process that goes on with the turn; gives its id."""
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            if with_plan:
                self.plan(points)
            provider = CrashingChannel(FakeProvider(self.record, keyed=self._keyed), points)
            self._deliver(CrashingState(self._open(), points), provider)
            status = 0
        finally:
            os._exit(status)

    def finish(self):
        """Go on without killing, to the end of the turn."""
        self.plan()
        state = self._open()
        self._deliver(state, FakeProvider(self.record, keyed=self._keyed))
        state.close()

    def delivered(self):
        line = len("0" * 32 + " c000000\n")
        return self.record.stat().st_size // line if self.record.exists() else 0

    def survey(self):
        state = self._open()
        received = Counter(c for _, c in FakeProvider(self.record, keyed=False).deliveries())
        fates = {row["customer_id"]: row["fate"] for row in contacts_of(state, TURN.number)}
        tally = account(state, TURN.number)
        counted = _sum(state, "SELECT SUM(contacts) AS n FROM contact_days")
        state.close()
        unknown = {c for c, fate in fates.items() if fate == "unknown"}
        return {
            "eligible": tally.eligible,
            "sent": sum(fate == "sent" for fate in fates.values()),
            "unknown": len(unknown),
            "unknown_not_delivered": len(unknown - set(received)),
            "lost": sum(c not in received and c not in unknown for c in self.customers),
            "duplicates": sum(n - 1 for n in received.values()),
            "counted_against_cap": counted,
        }

    def _open(self):
        return SQLState(f"sqlite:///{self.folder / 'state.db'}")

    @staticmethod
    def _decision(customer):
        return {
            "customer_id": customer,
            "verdict": "send",
            "reason": "chosen",
            "campaign_id": "ten_off-001",
            "offer_id": "ten_off",
            "channel": "sms",
            "is_global_holdout": False,
            "is_campaign_holdout": False,
        }


def _sum(state, sql):
    with state.reading() as opened:
        return opened.all(sql)[0]["n"] or 0


def kill_at_random(case, kills, seed):
    """Kill the turn from outside, spread over its deliveries; then let it end."""
    draw = random.Random(seed)
    case.plan()
    killed = 0
    while killed < kills:
        remaining = len(case.customers) - case.delivered()
        target = case.delivered() + int(draw.uniform(0, 1.6) * remaining / (kills - killed + 1))
        child = case.start()
        while not (ended := os.waitpid(child, os.WNOHANG)[0]) and case.delivered() < target:
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.02))
        if not ended and not os.waitpid(child, os.WNOHANG)[0]:
            os.kill(child, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        elif remaining == 0:
            break
    case.finish()
    return {"kills": killed, "window": case.window, "senders": WORKERS, **case.survey()}


def kill_at_every_point(make_case):
    """Kill a small turn at each moment between two effects, one run each; add up the findings."""
    total = Counter(points=0)
    while True:
        case = make_case()
        point = total["points"] + 1
        points = CrashPoints(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
        status = os.waitpid(case.start(points, with_plan=True), 0)[1]
        if not os.WIFSIGNALED(status):
            shutil.rmtree(case.folder)
            return dict(total)
        case.finish()
        found = case.survey()
        total["points"] += 1
        for name in ("lost", "duplicates", "unknown"):
            total[name] += found[name]
        total["most_unknown"] = max(total["most_unknown"], found["unknown"])
        shutil.rmtree(case.folder)


def run(kills, recipients, seed, *, point_recipients=6):
    """Prove the promise of the send ledger.

    Args:
        kills: SIGKILLs per design.
        recipients: Customers contacted per design.
        seed: Root of the random moments.
        point_recipients: Customers of the small turns killed at every enumerated moment.

    Returns:
        Findings by design: "every_point", and "random" for kills from outside
        (designs without a planted bug).
    """
    # In memory where there is such a place: a SIGKILL loses no write, so no disk is needed.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        root = Path(place)
        migrate(f"sqlite:///{root / 'empty.db'}")
        numbers = iter(range(10**9))

        def case(design, size):
            return Case(root / str(next(numbers)), root / "empty.db", size, design)

        found = {
            name: {
                "every_point": kill_at_every_point(lambda name=name: case(name, point_recipients))
            }
            for name in DESIGNS
        }
        for name in ("keyed", "unkeyed"):
            found[name]["random"] = kill_at_random(case(name, recipients), kills, seed)
        return found


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(run(given.kills, given.recipients, given.seed), indent=2) + "\n")
