"""Compare ten thousand metrics at once, and ten million customers in the engine.

CPU seconds. The peers do the same comparisons one after the other: spotify-confidence (from
`requirements/peer-packages`, in a process of its own; without it what was recorded) and SciPy.
Run: python benchmarks measure_experiments
"""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
from _apart import PEERS, apart, has_peers, measured
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

COUNT = 5000.0
SPOTIFY_EACH = 0.012
"""CPU seconds of one comparison by spotify-confidence 4.1.0: the least that was seen."""


def comparisons(number: int) -> tuple[Any, ...]:
    """Draw means of control and treated, and the spread of both."""
    draw = np.random.default_rng(1)
    return *draw.normal(10, 0.05, (2, number)), draw.uniform(1, 3, number)


def ours(number: int) -> tuple[dict[str, float], Any]:
    """Compare them all at once."""
    mean_a, mean_b, spread = comparisons(number)
    count = np.full(number, COUNT)
    pair = moments(count, mean_a, spread**2), moments(count, mean_b, spread**2)
    return measured(lambda: read_once(difference(*pair)))


def by_scipy(number: int) -> tuple[float, np.ndarray]:
    """Compare them one by one."""
    rows = zip(*comparisons(number), strict=True)
    cost, found = measured(
        lambda: [
            ttest_ind_from_stats(b, s, COUNT, a, s, COUNT, equal_var=False).pvalue
            for a, b, s in rows
        ]
    )
    return cost["seconds"], np.array(found)


def by_spotify(number: int) -> tuple[float, np.ndarray]:
    """Compare some of them one by one, in a process of its own: CPU seconds of one, and p-values."""
    mean_a, mean_b, spread = (part[:number] for part in comparisons(10_000))
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.npz")
        np.savez(file, mean_a=mean_a, mean_b=mean_b, spread=spread, count=COUNT)
        found = apart(PEERS, "_spotify_side.py", file)
    return found["seconds"] / number, np.array(found["p_values"])


def main() -> list[dict[str, Any]]:
    """Print what was compared; give the CPU seconds of ours and of the peers."""
    ours(100)  # what is done once
    for number in (1_000, 10_000, 100_000):
        cost, reading = ours(number)
        print(
            f"experiments: {number:,} comparisons in {cost['seconds']:.4f} CPU s, "
            f"{cost['seconds'] / number * 1e6:.2f} us each, peak {cost['peak_mb']:,.0f} MB"
        )
    cost, reading = ours(10_000)
    scipy_seconds, theirs = by_scipy(10_000)
    print(f"  largest difference of p-values to scipy {np.abs(reading.p_value - theirs).max():.1e}")
    each, spotify = SPOTIFY_EACH, "spotify-confidence (recorded, not run)"
    if has_peers():
        each, told = by_spotify(200)
        spotify = "spotify-confidence, 200 of them run"
        print(f"  to spotify-confidence {np.abs(reading.p_value[:200] - told).max():.1e}")
    _other_readings()
    _cuped(1_000)  # what is done once
    for size in (1_000_000, 10_000_000):
        print(_cuped(size))
    named = {"ours": "regulars", "ours_seconds": cost["seconds"], "what": "10,000 t-tests"}
    return [
        {**named, "peer": spotify, "peer_seconds": each * 10_000},
        {**named, "peer": "scipy one by one", "peer_seconds": scipy_seconds},
    ]


def _other_readings() -> None:
    mean_a, mean_b, spread = comparisons(10_000)
    count = np.full(10_000, COUNT)
    pair = moments(count, mean_a, spread**2), moments(count, mean_b, spread**2)
    valid, _ = measured(lambda: read_any_time(difference(*pair), tuned_at=10_000))
    print(f"  10,000 always-valid readings {valid['seconds']:.4f} CPU s")
    for number in (30, 60, 120):
        shares = [look / number for look in range(1, number + 1)]
        looks, _ = measured(lambda shares=shares: bounds(shares))
        print(f"  group-sequential bounds of {number} looks {looks['seconds']:.4f} CPU s")


def _cuped(customers: int) -> str:
    with duckdb.connect() as raw:
        raw.execute(
            "CREATE TABLE t AS SELECT (range % 2)::VARCHAR AS variant, random() AS before, "
            f"random() + 0.01 * (range % 2) AS spend FROM range({customers})"
        )
        table = ibis.duckdb.from_connection(raw).table("t")

        def read() -> float:
            rows = moments_by_variant(table, ["variant"], value="spend", other="before")
            control, treated = (as_moments([row]).at(0) for row in rows.to_pyarrow().to_pylist())
            return float(cuped_difference(control, treated).effect)

        cost, effect = measured(read)
    return (
        f"  CUPED statistics and reading of {customers:,} rows in DuckDB: {cost['seconds']:.2f} "
        f"CPU s, {cost['seconds'] / customers * 1e9:.0f} ns a row, effect {effect:.4f}, "
        f"peak {cost['peak_mb']:,.0f} MB with the table"
    )


if __name__ == "__main__":
    for row in main():
        print(row)
