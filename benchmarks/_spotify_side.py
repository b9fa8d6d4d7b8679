"""t-tests by spotify-confidence, one comparison after the other, in a process of its own.

Run: python benchmarks/_spotify_side.py FILE, with arrays mean_a, mean_b, spread and a count; prints
one JSON object: CPU seconds, peak memory and the p-values.
"""

import json
import sys
from importlib import import_module

import numpy as np
import pandas as pd
from _apart import measured


def p_value(mean_a: float, mean_b: float, spread: float, count: float) -> float:
    """Compare two variants from their sums, as its README does."""
    means = np.array([mean_a, mean_b])
    told = pd.DataFrame({
        "variant": ["control", "treated"],
        "sum": means * count,
        "squares": spread**2 * (count - 1) + count * means**2,
        "count": [count, count],
    })
    test = import_module("spotify_confidence").StudentsTTest(
        told,
        numerator_column="sum",
        numerator_sum_squares_column="squares",
        denominator_column="count",
        categorical_group_columns="variant",
    )
    return float(test.difference(level_1="control", level_2="treated")["p-value"].iloc[0])


def main(path: str) -> None:
    """Compare every row of a file."""
    with np.load(path) as file:
        count = float(file["count"])
        rows = list(zip(file["mean_a"], file["mean_b"], file["spread"], strict=True))
    p_value(*rows[0], count)  # imports, and what is done once
    cost, found = measured(lambda: [p_value(*row, count) for row in rows])
    print(json.dumps({**cost, "p_values": found}))


if __name__ == "__main__":
    main(sys.argv[1])
