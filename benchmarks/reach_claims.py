"""Claims per second through the whole claim: every rule, cap, quota and stock, and the settlement.

So many customers on SQLite: all agreed, one in twenty is suppressed, one in twenty has withdrawn since,
one in ten has had as much as caps allow, and an offer with less stock than customers goes with each contact.
Claimed in windows as senders use them and in large ones, then settled. Wall and processor time, and how
each verdict came out. Run: python benchmarks reach_claims, or python benchmarks/reach_claims.py 100000
for so many customers.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regulars.adapters.state import SQLState, migrate
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.ledger.service import Ledger
from regulars.reach.delivery.service import enrol, set_stock
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Sending

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
RUN = Run("campaign/spring/all", "spring", topic="news")
BEFORE = Run("campaign/winter/all", "winter", topic="news")
BAR_PER_SECOND = 30_000
WINDOWS = (Sending().window, 4_000)


def main(customers: int = 100_000) -> Iterator[dict[str, Any]]:
    """Give one row per size of window."""
    for window in WINDOWS:
        with tempfile.TemporaryDirectory() as place:
            state = filled(f"sqlite:///{Path(place) / 'state.db'}", customers)
            claimed, settled, ends = worked_off(state, window)
            state.close()
        for name, (wall, processor) in (("claim", claimed), ("settle", settled)):
            print(
                f"windows of {window:,}: {name} {customers / wall:,.0f} a second, "
                f"{customers / processor:,.0f} a processor second",
                flush=True,
            )
        print(f"  {dict(sorted(ends.items()))}", flush=True)
        yield {
            "what": f"{customers:,} whole claims in windows of {window:,}",
            "ours": "Regulars",
            "peer": "the bar",
            "ours_seconds": claimed[0],
            "peer_seconds": customers / BAR_PER_SECOND,
        }


def gate() -> Gate:
    """The rules: two contacts a week, never quiet."""
    return Gate(Policy(cap_contacts=2, quiet_from=0, quiet_to=0), zone="Asia/Shanghai")


def filled(url: str, customers: int) -> SQLState:
    """Customers of every standing, some with contacts behind them, and a campaign to all."""
    migrate(url)
    state = SQLState(url)
    names = [f"c{number:07d}" for number in range(customers)]
    with state.transaction() as opened:
        opened.many(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:c, 'marketing', '*', :status, '2026-01-01')""",
            [
                {"c": one, "status": "withdrawn" if place % 20 == 7 else "granted"}
                for place, one in enumerate(names)
            ],
        )
        opened.many(
            """INSERT INTO suppressions (customer_id, channel, reason, since)
               VALUES (:c, '*', 'complaint', '2026-01-01')""",
            [{"c": one} for one in names[3::20]],
        )
    for step in ("one", "two"):
        had = [Member(one, "send", "chosen", channel="sms") for one in names[5::10]]
        enrol(state, Run(BEFORE.run_id, "winter", step=step), had, now=NOW)
    work_through(state, 4_000)
    set_stock(state, {"tea": customers * 3 // 4})
    members = [Member(one, "send", "chosen", channel="sms", offer_id="tea") for one in names]
    enrol(state, RUN, members, now=NOW)
    return state


def worked_off(
    state: SQLState, window: int
) -> tuple[tuple[float, float], tuple[float, float], Counter[str]]:
    """Claim and settle all; gives wall and processor seconds of each, and how verdicts came out."""
    claims, settles = work_through(state, window)
    with state.reading() as opened:
        rows = opened.all(
            """SELECT state, reason, COUNT(*) AS n FROM ledger WHERE run_id = :run
               GROUP BY state, reason""",
            run=RUN.run_id,
        )
    return claims, settles, Counter({f"{one['state']}/{one['reason']}": one["n"] for one in rows})


def work_through(state: SQLState, window: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Claim window after window, and settle each as taken."""
    ledger = Ledger(state, gate(), Pace(Sending(), owner="bench"))
    spent = [0.0, 0.0, 0.0, 0.0]
    while True:
        wall, processor = time.perf_counter(), time.process_time()
        found = ledger.claim("sms", "marketing", window, now=NOW)
        spent[0] += time.perf_counter() - wall
        spent[1] += time.process_time() - processor
        if not found.looked:
            return (spent[0], spent[1]), (spent[2], spent[3])
        held = list(found.held)
        answers = {one.contact.key: Answer(Outcome.ACCEPTED) for one in held}
        wall, processor = time.perf_counter(), time.process_time()
        ledger.settle(held, answers, Recovery.RESEND, 86_400, now=NOW)
        spent[2] += time.perf_counter() - wall
        spent[3] += time.process_time() - processor


if __name__ == "__main__":
    for found in main(*map(int, sys.argv[1:])):
        print(json.dumps(found))
