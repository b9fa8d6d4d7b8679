"""A difference of two means on the same rows, with a bootstrap interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RESAMPLES = 1000
MOST_BLOCKS = 20_000


@dataclass(frozen=True)
class Difference:
    """A difference with its interval.

    Attributes:
        estimate: Mean of one less mean of the other.
        low: Lower end.
        high: Upper end.
    """

    estimate: float
    low: float
    high: float


def paired_bootstrap(one: Numbers, other: Numbers, *, level: float, seed: int) -> Difference:
    """Compare two losses of the same rows.

    Args:
        one: Loss per row, shape (rows,).
        other: Loss of the other on the same rows, shape (rows,).
        level: Coverage of the interval, 0 to 1.
        seed: Seed of the resampling.

    Returns:
        Mean of one less mean of the other. Rows beyond 20,000 are resampled in blocks.

    Source:
        Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.

    Example:
        >>> found = paired_bootstrap(np.full(300, 1.0), np.full(300, 3.0), level=0.9, seed=1)
        >>> found.estimate, found.low, found.high
        (-2.0, -2.0, -2.0)
    """
    gap = np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    blocks = min(len(gap), MOST_BLOCKS)
    at = np.arange(len(gap)) % blocks
    sums = np.bincount(at, weights=gap, minlength=blocks)
    counts = np.bincount(at, minlength=blocks).astype(np.float64)
    draw = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for sample in range(RESAMPLES):
        chosen = draw.integers(0, blocks, blocks)
        means[sample] = sums[chosen].sum() / counts[chosen].sum()
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Difference(float(gap.mean()), float(low), float(high))
