"""How far an estimate strays from the truth, learned by dealing the holdout out again."""

import numpy as np
from numpy.typing import NDArray

from regulars.numerics.hashing import key_of

Floats = NDArray[np.float64]


def permutation_quantiles(
    residuals: Floats, is_treated: NDArray[np.bool_], *, level: float, key: int, draws: int = 999
) -> tuple[Floats, Floats]:
    """Quantiles of (estimate - truth) / standard error, by studentised permutation.

    What customers spend in a week is so skewed that a holdout of some tens of them strays
    further below the truth than above it, and a symmetric t interval misses mostly on one
    side. Dealing the holdout out again from the customers at hand shows both sides. Each
    shuffle deals all customers into as many holdouts of the same size as they fill.

    Args:
        residuals: Outcomes less the effect and the covariates, shape (customers, metrics).
        is_treated: True for the treated, shape (customers,); both groups have two or more.
        level: Coverage of the interval the quantiles are for, in (0, 1).
        key: Key of the random deals; the same key deals the same.
        draws: Deals at least made, 99 or more.

    Returns:
        Lower and upper quantile per metric, each of shape (metrics,). The interval is
        estimate - upper x se to estimate - lower x se.

    Source:
        Wu & Ding (2021), "Randomization Tests for Weak Null Hypotheses in Randomized
        Experiments", JASA 116: exact when the effect is the same for all, right in large
        groups when it is not.

    Example:
        >>> spread = np.random.Generator(np.random.Philox(1)).standard_normal((400, 1))
        >>> low, high = permutation_quantiles(spread, np.arange(400) > 99, level=0.9, key=3)
        >>> bool(-1.9 < low[0] < -1.4 and 1.4 < high[0] < 1.9)
        True
    """
    random = np.random.Generator(np.random.Philox(key=key_of(key, "permutation")))
    held, size = int((~is_treated).sum()), len(residuals)
    total, squares = residuals.sum(axis=0), (residuals**2).sum(axis=0)
    statistics, deals = [], size // held
    for _ in range(-(-draws // deals)):
        order = random.permutation(size)[: deals * held]
        dealt = residuals[order].reshape(deals, held, residuals.shape[1])
        sums, parts = dealt.sum(axis=1), (dealt**2).sum(axis=1)
        control = _moments(sums, parts, held)
        treated = _moments(total - sums, squares - parts, size - held)
        variance = np.maximum(control[1] + treated[1], np.finfo(float).tiny)
        statistics.append((treated[0] - control[0]) / np.sqrt(variance))
    ends = [0.5 - level / 2, 0.5 + level / 2]
    return tuple(np.quantile(np.concatenate(statistics), ends, axis=0))


def _moments(sums: Floats, squares: Floats, size: int) -> tuple[Floats, Floats]:
    """Mean, and variance of the mean, from sums."""
    mean = sums / size
    return mean, (squares - size * mean**2) / (size - 1) / size
