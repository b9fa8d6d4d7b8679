"""The estimated value of a policy, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from regulars.numerics.given import level_given

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PolicyValue:
    """Mean reward per decision that a policy would have had.

    Attributes:
        value: The estimate.
        standard_error: Its standard error.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    standard_error: float
    low: float
    high: float


def value_of(terms: Floats, *, level: float, value: float | None = None) -> PolicyValue:
    """Average one term per decision.

    A few decisions with large weights make the terms skewed, and a symmetric interval would miss
    the truth on one side too often; the interval is bent by the skewness seen.

    Args:
        terms: What each decision adds, shape (decisions,); the linearised influence where the
            estimate is no plain mean.
        level: Coverage of the interval, in (0, 1).
        value: The estimate, where it is not the mean of the terms.

    Returns:
        The value; standard error and interval are infinite with fewer than three decisions.

    Raises:
        InputError: The level is not between 0 and 1.

    Source:
        Hall (1992), "On the Removal of Skewness by Transformation", JRSS B 54(1), eq. 2.2.

    Example:
        >>> value_of(np.array([0.0, 1.0, 2.0, 1.0]), level=0.95).value
        1.0
    """
    level_given(level)
    mean = float(terms.mean()) if value is None else value
    if terms.size < 3:
        return PolicyValue(mean, np.inf, -np.inf, np.inf)
    spread = float(terms.std(ddof=1))
    error, factor = spread / np.sqrt(terms.size), float(ndtri(0.5 + level / 2))
    if spread == 0:
        return PolicyValue(mean, 0.0, mean, mean)
    skewness = float(((terms - terms.mean()) ** 3).mean()) / spread**3 / np.sqrt(terms.size)
    return PolicyValue(
        mean,
        float(error),
        float(mean - error * _bent(factor, skewness)),
        float(mean - error * _bent(-factor, skewness)),
    )


def _bent(score: float, skewness: float) -> float:
    """Score of skewed terms that is as rare as a normal score."""
    if abs(skewness) < 1e-6:
        return score
    inner = 1 + skewness * (score - skewness / 6)
    return float(3 / skewness * (np.cbrt(inner) - 1))
