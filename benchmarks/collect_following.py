"""Follow a log that has run ahead: events a processor second each follower takes in.

Events of customers who browse, sign in and order arrive 10,000 a second in batches as the drain hands
them over; each follower takes in all of them, one follower after the other. Beside each stands how
long 3,000 events a second may keep it busy: the same stretch of time. The collector of
cycles is set as it is in the process that drains.
Run: python benchmarks collect_following, or python benchmarks/collect_following.py 20 profile
"""

import cProfile
import gc
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.app import open_app
from regulars.collect.ingest.batch import EventBatch
from regulars.serve.ingest.storing import RECORDS_BETWEEN_COLLECTIONS

MADE = import_module("unify_profiles")
AT_ONCE = 8_000
ARRIVING = 10_000
PACE = 3_000
CUSTOMERS = 30_000


def batches(count: int, seed: int = 1) -> Iterator[EventBatch]:
    """Make batches; some customers come often, and one event in twelve says who it is."""
    draw, n = random.Random(seed), 0
    for sequence in range(1, count + 1):
        rows = []
        for _ in range(AT_ONCE):
            customer = int(draw.paretovariate(0.8) * 50) % CUSTOMERS
            at = MADE.START + timedelta(seconds=n / ARRIVING)
            rows.append(MADE.row(n, customer, at, draw, names=n % 12 == 0))
            n += 1
        yield EventBatch(0, sequence, pa.Table.from_pylist(rows, schema=MADE.SCHEMA))


def main(count: int = 10, *words: str) -> Iterator[dict[str, Any]]:
    """Give one row per follower."""
    made = list(batches(count))
    events = sum(batch.rows.num_rows for batch in made)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "regulars.toml").write_text(MADE.TOML, "utf-8")
        shop = open_app(folder)
        gc.collect()
        gc.freeze()
        gc.set_threshold(RECORDS_BETWEEN_COLLECTIONS, 20, 20)
        for follower in shop.followers:
            profiler = cProfile.Profile()
            if words:
                profiler.enable()
            begun = time.process_time()
            for batch in made:
                follower.follow(batch)
            used = time.process_time() - begun
            profiler.disable()
            if words:
                pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
            yield {
                "what": f"{follower.name}, {events:,} events ({events / used:,.0f} a processor second)",
                "ours": "regulars",
                "peer": f"{PACE:,} a second",
                "ours_seconds": used,
                "peer_seconds": events / PACE,
            }
        shop.profiles.close()
        shop.state.close()


if __name__ == "__main__":
    for result in main(*[int(float(word)) if word.isdigit() else word for word in sys.argv[1:]]):  # type: ignore[arg-type]
        print(result)
