"""Uplift on five worlds of known truth: our doubly robust learner beside econml's CausalForestDML.

Each side runs in a process of its own on one thread, on the same rows; CPU seconds of fitting and
predicting. Parameters of ours are the same everywhere, and what is chosen is chosen by
cross-validation inside the learner. econml runs twice: as it comes, and with outcome models as
quick as ours. It comes with `requirements/peer-packages`; without, the peer is what was recorded.

Run: python benchmarks decide_uplift, or python benchmarks/decide_uplift.py 3 for three draws of
each world.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from _apart import OURS, PEERS, apart, has_peers

SIZES = [
    ("bends", 20_000),
    ("bends", 5_000),
    ("forest", 5_000),
    ("residuals", 5_000),
    ("orders", 5_000),
    ("ihdp", 747),
]
RECORDED: dict[tuple[str, int, str], tuple[float, float]] = {
    ("bends", 20_000, "econml"): (77.4, 0.1419),
    ("bends", 20_000, "econml-quick"): (23.5, 0.1487),
    ("bends", 5_000, "econml"): (14.6, 0.2016),
    ("bends", 5_000, "econml-quick"): (4.7, 0.2216),
    ("forest", 5_000, "econml"): (12.2, 0.1581),
    ("forest", 5_000, "econml-quick"): (4.5, 0.2325),
    ("residuals", 5_000, "econml"): (15.2, 0.3027),
    ("residuals", 5_000, "econml-quick"): (4.6, 0.3477),
    ("orders", 5_000, "econml"): (12.9, 0.0387),
    ("orders", 5_000, "econml-quick"): (5.0, 0.0385),
}
"""econml 0.17.0 by world, customers and side: CPU seconds and error of the first draw."""
NAMES = {"econml": "econml CausalForestDML", "econml-quick": "econml with quick outcome models"}


def compared(world: str, customers: int, seed: int) -> dict[str, dict[str, float]]:
    """Let every side learn from the same rows."""
    if not has_peers():
        return recorded(world, customers, seed)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "world.npz")
        apart(PEERS, "_uplift_sides.py", "draw", world, customers, seed, file)
        return {
            side: apart(PEERS if side in NAMES else OURS, "_uplift_sides.py", side, file)
            for side in ("ours", *NAMES)
        }


def recorded(world: str, customers: int, seed: int) -> dict[str, dict[str, float]]:
    """Let ours learn, and tell what was recorded of the peer."""
    if seed > 1 or (world, customers, "econml") not in RECORDED:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "world.npz")
        apart(OURS, "_uplift_sides.py", "draw", world, customers, seed, file)
        found = {"ours": apart(OURS, "_uplift_sides.py", "ours", file)}
    for side in NAMES:
        seconds, error = RECORDED[world, customers, side]
        found[side] = {"seconds": seconds, "error": error, "peak_mb": float("nan")}
    return found


def told(side: dict[str, float], customers: int) -> str:
    """Tell what one side cost and how far off it was."""
    each = side["seconds"] / customers * 1e6
    return (
        f"error {side['error']:.4f}, {side['seconds']:.2f} CPU s ({each:,.0f} us a customer), "
        f"peak {side['peak_mb']:,.0f} MB"
    )


def main(draws: int = 1) -> list[dict[str, Any]]:
    """Print errors, CPU and memory of each world; give the CPU seconds of each side."""
    rows: list[dict[str, Any]] = []
    won, played = 0, 0
    apart_from = "" if has_peers() else " (recorded, not run: requirements/peer-packages)"
    print("uplift: the effect on customers not seen, known truth; root mean squared error")
    for world, customers in SIZES:
        for seed in range(1, draws + 1):
            found = compared(world, customers, seed)
            if not found:
                print(f"  {world}, draw {seed}: takes econml, which is not installed")
                continue
            where = f"{world}, {customers:,} customers, draw {seed}"
            print(f"  {where}\n    regulars: {told(found['ours'], customers)}")
            for side, name in NAMES.items():
                print(f"    {name}{apart_from}: {told(found[side], customers)}")
                rows.append({
                    "what": f"doubly robust learner, {where}",
                    "ours": "regulars",
                    "peer": name + apart_from,
                    "ours_seconds": found["ours"]["seconds"],
                    "peer_seconds": found[side]["seconds"],
                })
            best = min(found[side]["error"] for side in NAMES)
            won, played = won + (found["ours"]["error"] <= best), played + 1
    print(f"  no further off than the better of the two in {won} of {played}")
    return rows


if __name__ == "__main__":
    for row in main(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        print(
            f"{row['what']}: {row['peer_seconds'] / row['ours_seconds']:.1f} times as fast as {row['peer']}"
        )
