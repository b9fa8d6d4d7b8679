"""Why one customer was or was not contacted, in a send ledger of many rows, against 200 ms.

A ledger of so many rows is filled on SQLite, twenty per customer; then customers taken at random are
explained as the page, the API and `regulars reach explain` do: ids she has had, every row, sentences in
both languages. Run: python benchmarks reach_explain, or python benchmarks/reach_explain.py 10000000
for so many rows.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from regulars.adapters.state import SQLState, migrate
from regulars.serve.sending.explaining import explain

EACH = 20
ASKED = 400
BAR_SECONDS = 0.2
FATES = (("sent", "handed_over"), ("skipped", "cap"), ("holdout", "campaign_holdout"))


def main(rows: int = 1_000_000) -> Iterator[dict[str, Any]]:
    """Give one row: the slowest hundredth against the bar."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "state.db"
        migrate(f"sqlite:///{file}")
        state = SQLState(f"sqlite:///{file}")
        began = time.perf_counter()
        fill(state, rows)
        took = time.perf_counter() - began
        size = file.stat().st_size / 1e9
        print(f"{rows:,} rows filled in {took:.0f} s, {size:.1f} GB", flush=True)
        seconds, processor = asked(state, max(1, rows // EACH))
        state.close()
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    print(
        f"explained {ASKED} customers: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most "
        f"{seconds.max() * 1000:.1f} ms; processor {processor * 1000 / ASKED:.2f} ms each",
        flush=True,
    )
    yield {
        "what": f"why, p99 of {ASKED} at {rows:,} rows",
        "ours": "Regulars",
        "peer": "the bar",
        "ours_seconds": p99 / 1000,
        "peer_seconds": BAR_SECONDS,
    }


def fill(state: SQLState, rows: int) -> None:
    """Write rows in one transaction, in the order of their keys; their indexes come after."""
    customers = max(1, rows // EACH)
    with state.transaction() as opened:
        indexes = opened.all(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'ledger' "
            "AND sql IS NOT NULL"
        )
        for one in indexes:
            opened.run(f"DROP INDEX {one['name']}")
        opened.many(
            """INSERT INTO ledger
               (key, run_id, customer_id, campaign_id, channel, state, reason, attempts, planned_at,
                at, settled_at, provider_id)
               VALUES (:key, :run, :customer, :campaign, 'sms', :state, :reason, 1,
                       '2026-03-01T02:00:00.000000+00:00', '2026-03-01T02:00:01.000000+00:00',
                       '2026-03-01T02:00:02.000000+00:00', :provider)""",
            _Rows(rows, customers),
        )
        for one in indexes:
            opened.run(one["sql"])


class _Rows:
    """The rows, made as they are asked for: ten million of them would fill the memory."""

    def __init__(self, rows: int, customers: int) -> None:
        self._rows, self._customers = rows, customers

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self._rows):
            run, customer = divmod(number, self._customers)
            state, reason = FATES[number % len(FATES)]
            yield {
                "key": f"{number:032x}",
                "run": f"campaign/n{run}/all",
                "customer": f"c{customer:09d}",
                "campaign": f"n{run}",
                "state": state,
                "reason": reason,
                "provider": f"p{number}" if state == "sent" else "",
            }


def asked(state: SQLState, customers: int) -> tuple[Any, float]:
    """Explain customers taken at random; gives seconds of each, and processor seconds of all."""
    dice, took = random.Random(7), []
    processor = time.process_time()
    for _ in range(ASKED):
        customer = f"c{dice.randrange(customers):09d}"
        began = time.perf_counter()
        told = explain(state, customer, zone="Asia/Shanghai")
        took.append(time.perf_counter() - began)
        assert len(told.attempts) >= EACH, told
    return np.array(took), time.process_time() - processor


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        for _ in main(*map(int, sys.argv[1:])):
            pass
