"""From a withdrawal of consent to the last contact, while a sender works, against one second.

So many customers have agreed; a campaign to a part of them is being claimed and handed over by a process
of its own. Meanwhile customers who are next in its queue withdraw, one after the other. Counted from the
moment the withdrawal is asked for: until it is committed, and until the customer can no longer be
contacted: what was claimed before arrives a little later. Whoever is claimed after a commit is counted,
and must be nobody. Run: python benchmarks reach_withdrawal, or
python benchmarks/reach_withdrawal.py 1000000 for so many customers.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from regulars.adapters.state import SQLState, migrate
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.service import enrol, tick
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Sending

WITHDRAWN, EVERY_SECONDS, AHEAD = 300, 0.02, 600
MOST_SENT_TO = 300_000
BAR_SECONDS = 1.0
# Never quiet, so that the figure does not depend on when it is taken.
OPEN = Policy(quiet_from=0, quiet_to=0)


class Noting:
    """A channel that takes everything, and notes when each contact was handed over."""

    recovery = Recovery.RESEND
    key_seconds = 86_400
    carries_messages = False

    @staticmethod
    def send(contacts: Any, /) -> dict[str, Answer]:
        """Take a window, as quickly as a provider beside us would."""
        now = time.time()
        for contact in contacts:
            sys.stdout.write(f"{contact.customer_id} {now:.6f} {contact.at.timestamp():.6f}\n")
        sys.stdout.flush()
        time.sleep(0.02)
        return {contact.key: Answer(Outcome.ACCEPTED) for contact in contacts}

    @staticmethod
    def find(_keys: Any, /) -> dict[str, Answer]:
        """Nothing to find."""
        return {}

    def close_turn(self, turn: int, /) -> None:
        """Nothing to close."""


def main(customers: int = 1_000_000) -> Iterator[dict[str, Any]]:
    """Give one row: the slowest hundredth against the bar."""
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{Path(place) / 'state.db'}"
        fill(url, customers)
        noted = Path(place) / "noted"
        with noted.open("wb") as out:
            sender = subprocess.Popen([sys.executable, __file__, "send", url], stdout=out)
            try:
                asked, processor = withdraw(url)
            finally:
                sender.kill()
                sender.wait()
        handed = {
            name: (float(at), float(claimed))
            for name, at, claimed in (
                line.split() for line in noted.read_text().splitlines() if line.count(" ") == 2
            )
        }
    committed, suppressed, after = [], [], 0
    for name, (began, ended) in asked.items():
        last, claimed = handed.get(name, (0.0, 0.0))
        committed.append(ended - began)
        suppressed.append(max(ended, last) - began)
        after += last > ended and claimed > ended
    print(
        f"{len(asked)} withdrew beside a sender that handed {len(handed):,} over, "
        f"{sum(handed.get(one, (0.0,))[0] > asked[one][0] for one in asked)} of them were in the "
        f"air, claimed after a commit: {after}",
        flush=True,
    )
    for name, taken in (("committed", committed), ("suppressed", suppressed)):
        p50, p99 = np.percentile(taken, [50, 99]) * 1000
        print(f"  {name:11} p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {max(taken) * 1000:.0f} ms")
    print(f"  processor {processor * 1000 / len(asked):.2f} ms per withdrawal", flush=True)
    assert after == 0, "a contact was claimed after the withdrawal was committed"
    yield {
        "what": f"withdrawal -> suppressed, p99, {customers:,} customers",
        "ours": "Regulars",
        "peer": "the bar",
        "ours_seconds": float(np.percentile(suppressed, 99)),
        "peer_seconds": BAR_SECONDS,
    }


def fill(url: str, customers: int) -> None:
    """Customers who agreed, and a campaign to a part of them."""
    migrate(url)
    state, now = SQLState(url), datetime.now(UTC)
    granted = (now - timedelta(days=1)).isoformat()
    with state.transaction() as opened:
        opened.many(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:c, 'marketing', '*', 'granted', :at)""",
            [{"c": f"c{number:09d}", "at": granted} for number in range(customers)],
        )
    sent_to = range(min(customers, MOST_SENT_TO))
    members = [Member(f"c{number:09d}", "send", "chosen", channel="sms") for number in sent_to]
    enrol(state, Run("campaign/spring/all", "spring"), members, now=now)
    state.close()


def withdraw(url: str) -> tuple[dict[str, tuple[float, float]], float]:
    """Withdraw for customers who are next in the queue; gives moments asked and committed."""
    state, asked = SQLState(url), {}
    while _queued(state, "sent") is None:
        time.sleep(0.05)
    processor = time.process_time()
    while len(asked) < WITHDRAWN and (customer := _queued(state, "planned", AHEAD)):
        now = datetime.now(UTC)
        word = Word(customer, "marketing", "withdrawn", now, channel="sms")
        began = time.time()
        set_consent(state, word, actor="bench", now=now)
        asked[customer] = (began, time.time())
        time.sleep(EVERY_SECONDS)
    processor = time.process_time() - processor
    state.close()
    return asked, processor


def _queued(state: SQLState, stands: str, ahead: int = 0) -> str | None:
    """A customer of the campaign who stands so, some places down the queue."""
    with state.reading() as opened:
        rows = opened.all(
            f"""SELECT customer_id FROM ledger
                WHERE state = '{stands}' AND turn = 0 AND channel = 'sms'
                  AND message_class = 'marketing'
                ORDER BY priority DESC, planned_at, key LIMIT 1 OFFSET :ahead"""
            if stands == "planned"
            else f"SELECT customer_id FROM ledger WHERE state = '{stands}' LIMIT 1",
            **({"ahead": ahead} if stands == "planned" else {}),
        )
    return str(rows[0]["customer_id"]) if rows else None


def send(url: str) -> None:
    """Hand the campaign over, as a pass does."""
    gate = Gate(OPEN, zone="Asia/Shanghai")
    pace = Pace(Sending(), senders=2)
    tick(SQLState(url), now=datetime.now(UTC), channels={"sms": Noting()}, gate=gate, pace=pace)


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        send(sys.argv[2])
    else:
        for found in main(*map(int, sys.argv[1:])):
            print(json.dumps(found))
