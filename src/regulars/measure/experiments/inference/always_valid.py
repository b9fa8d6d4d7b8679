"""Always-valid inference: an interval and a p-value that may be looked at every day."""

import math

import numpy as np

from regulars.errors import InputError
from regulars.measure.experiments.inference.estimate import Estimate, Reading, require_level
from regulars.numerics.given import number_given


def read_any_time(estimate: Estimate, *, tuned_at: float, level: float = 0.95) -> Reading:
    """Read an estimate as often as anybody likes, and stop when it convinces.

    The interval covers the truth at *all* looks together with the stated probability, at the
    price of being wider than the one of `read_once`.

    Args:
        estimate: What was found so far, shape (comparisons,).
        tuned_at: Customers, both variants together, at which the interval is to be tightest;
            fixed before the first look, > 0.
        level: Coverage over all looks together, in (0, 1).

    Returns:
        The reading, shape (comparisons,); nan interval and p-value 1 where the standard error
        is nan or 0.

    Raises:
        InputError: The level is not between 0 and 1, or `tuned_at` is not above 0.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), "Time-uniform central limit
        theory and asymptotic confidence sequences", Annals of Statistics 52(6), theorem 2.2.

    Example:
        >>> from regulars.measure.experiments import difference, moments
        >>> est = difference(moments(3407, 0.41, 3.9**2), moments(3461, 0.70, 6.2**2))
        >>> found = read_any_time(est, tuned_at=5000)
        >>> round(float(found.low), 8), round(float(found.p_value), 8)
        (-0.0894101, 0.29074456)
    """
    alpha = require_level(level)
    if not 0 < number_given(tuned_at, "tuned_at") < math.inf:
        raise InputError(f"tuned_at is {tuned_at}, must be above 0; give the customers expected")
    doubled = -2 * math.log(alpha)
    rate = (doubled + math.log(doubled + 1)) / tuned_at
    seen = np.asarray(estimate.count * rate)
    error = np.where(estimate.standard_error > 0, estimate.standard_error, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = seen / (seen + 1)
        factor = np.sqrt(2 / shrink * np.log(np.sqrt(seen + 1) / alpha))
        score = (estimate.effect / error) ** 2
        p_value = np.sqrt(seen + 1) * np.exp(-score * shrink / 2)
    return Reading(
        np.asarray(estimate.effect),
        np.asarray(estimate.effect - factor * error),
        np.asarray(estimate.effect + factor * error),
        np.asarray(np.where(np.isnan(p_value), 1.0, np.minimum(1.0, p_value))),
    )
