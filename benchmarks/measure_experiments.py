"""Compare ten thousand metrics at once, and ten million customers in the engine.

CPU seconds; the peer does the same comparisons one after the other with SciPy, as experiment
tools that work row by row do. Run: python benchmarks measure_experiments
"""

import time
from collections.abc import Callable
from typing import Any

import duckdb
import ibis
import numpy as np
from scipy.stats import ttest_ind_from_stats

from regulars.measure.experiments import (
    bounds,
    cuped_difference,
    difference,
    moments,
    read_any_time,
    read_once,
)
from regulars.measure.experiments.tables import as_moments, moments_by_variant


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the CPU seconds of some work, and what it gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def main(comparisons: int = 10_000, customers: int = 10_000_000) -> list[dict[str, Any]]:
    """Print what was compared; give the CPU seconds of ours and of the peer."""
    draw = np.random.default_rng(1)
    count, spread = np.full(comparisons, 5000.0), draw.uniform(1, 3, comparisons)
    means = draw.normal(10, 0.05, (2, comparisons))
    pair = [moments(count, mean, spread**2) for mean in means]
    ours, reading = cpu(lambda: read_once(difference(*pair)))
    valid, _ = cpu(lambda: read_any_time(difference(*pair), tuned_at=10_000))
    peer, theirs = cpu(
        lambda: [
            ttest_ind_from_stats(b, s, n, a, s, n, equal_var=False).pvalue
            for a, b, s, n in zip(means[0], means[1], spread, count, strict=True)
        ]
    )
    worst = float(np.abs(reading.p_value - np.array(theirs)).max())
    looks, _ = cpu(lambda: bounds([look / 60 for look in range(1, 61)]))
    print(f"experiments: {comparisons:,} comparisons, largest difference of p-values {worst:.1e}")
    print(f"  always valid {valid:.4f} s; group-sequential bounds of 60 looks {looks:.4f} s")
    whole, estimate = cpu(lambda: _cuped(customers))
    print(f"  CUPED on {customers:,} rows in DuckDB: {whole:.2f} s, effect {estimate:.4f}")
    return [
        {
            "what": f"{comparisons:,} t-tests",
            "ours": "regulars",
            "peer": "scipy one by one",
            "ours_seconds": ours,
            "peer_seconds": peer,
        }
    ]


def _cuped(customers: int) -> float:
    with duckdb.connect() as raw:
        raw.execute(
            "CREATE TABLE t AS SELECT (range % 2)::VARCHAR AS variant, random() AS before, "
            f"random() + 0.01 * (range % 2) AS spend FROM range({customers})"
        )
        table = ibis.duckdb.from_connection(raw).table("t")
        start = time.process_time()
        rows = moments_by_variant(table, ["variant"], value="spend", other="before")
        control, treated = (as_moments([row]).at(0) for row in rows.to_pyarrow().to_pylist())
        found = float(cuped_difference(control, treated).effect)
        print(f"  moments of {customers:,} rows: {time.process_time() - start:.2f} CPU s")
    return found


if __name__ == "__main__":
    for row in main():
        print(row)
