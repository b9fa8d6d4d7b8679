"""An estimate of what a variant changed: value, standard error, degrees of freedom."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from regulars.numerics.given import level_given

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """What was found, before it is decided how it may be read.

    Attributes:
        effect: Treated minus control, or its share of control when relative.
        standard_error: Standard error of the effect, > 0; nan where it cannot be told.
        freedom: Degrees of freedom of the t distribution; inf for the normal.
        count: Customers in both variants together.
    """

    effect: Values
    standard_error: Values
    freedom: Values
    count: Values


@dataclass(frozen=True)
class Reading:
    """An estimate with interval and p-value.

    Attributes:
        effect: As in the estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
        p_value: Probability of an effect at least as far from zero without any; 1 where nothing
            can be told.
    """

    effect: Values
    low: Values
    high: Values
    p_value: Values


def require_level(level: float) -> float:
    """Check a level of coverage.

    Returns:
        The share of errors allowed, 1 - level.

    Raises:
        InputError: The level is not between 0 and 1.
    """
    return 1 - level_given(level)


def read_once(estimate: Estimate, *, level: float = 0.95) -> Reading:
    """Read an estimate at the end of an experiment whose length was fixed beforehand.

    Reading it every day instead finds something sooner or later: use `read_any_time`.

    Args:
        estimate: What was found, shape (comparisons,).
        level: Coverage of the two-sided interval, in (0, 1).

    Returns:
        The reading, shape (comparisons,); nan interval and p-value 1 where the standard error
        is nan or 0.

    Raises:
        InputError: The level is not between 0 and 1.

    Source:
        Student (1908); Welch (1947) for the degrees of freedom.

    Example:
        >>> import numpy as np
        >>> one = np.float64(1.0)
        >>> found = read_once(Estimate(2 * one, one, np.inf * one, 100 * one))
        >>> round(float(found.low), 2), round(float(found.p_value), 4)
        (0.04, 0.0455)
    """
    alpha = require_level(level)
    error = np.where(estimate.standard_error > 0, estimate.standard_error, np.nan)
    freedom = np.asarray(estimate.freedom, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.abs(estimate.effect / error)
        is_normal = ~np.isfinite(freedom)
        finite = np.where(is_normal, 1.0, freedom)
        factor = np.where(is_normal, ndtri(1 - alpha / 2), stdtrit(finite, 1 - alpha / 2))
        tail = np.where(is_normal, ndtr(-score), stdtr(finite, -score))
    return Reading(
        np.asarray(estimate.effect),
        np.asarray(estimate.effect - factor * error),
        np.asarray(estimate.effect + factor * error),
        np.asarray(np.where(np.isnan(tail), 1.0, np.minimum(1.0, 2 * tail))),
    )
