"""Difference of means: what the treated variant has more than control, per customer."""

import numpy as np

from regulars.measure.experiments.inference.estimate import Estimate
from regulars.measure.experiments.sufficient_statistics import Moments


def difference(control: Moments, treated: Moments, *, relative: bool = False) -> Estimate:
    """Compare the means of a metric; proportions are means of zeros and ones.

    Args:
        control: Moments of the control variant, shape (comparisons,) or a number each.
        treated: Moments of the treated variant.
        relative: True for the change as a share of the control mean; its variance follows from
            the delta method, so that the uncertainty of the control mean counts too.

    Returns:
        The estimate; standard error nan with fewer than two customers in a variant, and
        everything nan where relative to a control mean of 0.

    Source:
        Welch (1947), "The Generalization of Student's Problem", Biometrika 34; Deng, Knoblich
        & Lu (2018), "Applying the Delta Method in Metric Analytics", KDD '18, section 3.1.

    Example:
        >>> from regulars.measure.experiments import moments, read_once
        >>> found = read_once(difference(moments(3407, 0.41, 3.9**2), moments(3461, 0.70, 6.2**2)))
        >>> round(float(found.low), 5), round(float(found.high), 5), round(float(found.p_value), 5)
        (0.04538, 0.53462, 0.02016)
    """
    return compared(
        control.mean,
        treated.mean,
        _of_mean(control.variance, control.count),
        _of_mean(treated.variance, treated.count),
        counts=(control.count, treated.count),
        relative=relative,
    )


def compared(
    base: np.ndarray,
    other: np.ndarray,
    base_variance: np.ndarray,
    other_variance: np.ndarray,
    *,
    counts: tuple[np.ndarray, np.ndarray],
    relative: bool,
) -> Estimate:
    """Compare two independent estimates of the same quantity.

    Args:
        base: Estimate in control.
        other: Estimate in the treated variant.
        base_variance: Squared standard error of `base`; nan when it cannot be told.
        other_variance: Squared standard error of `other`.
        counts: Customers in control and in the treated variant.
        relative: True for the difference as a share of `base`.

    Returns:
        The estimate, with Welch's degrees of freedom.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if relative:
            # The delta method on other / base - 1.
            effect = (other - base) / base
            base_part = base_variance * other**2 / base**4
            other_part = other_variance / base**2
        else:
            effect = other - base
            base_part, other_part = base_variance, other_variance
        variance = base_part + other_part
        # Those of the difference itself, relative or not, as growthbook's published figures.
        spent = base_variance**2 / (counts[0] - 1) + other_variance**2 / (counts[1] - 1)
        freedom = (base_variance + other_variance) ** 2 / spent
    return Estimate(
        np.asarray(np.where(np.isfinite(effect), effect, np.nan)),
        np.asarray(np.sqrt(variance)),
        np.asarray(np.where(np.isfinite(freedom), freedom, np.inf)),
        np.asarray(counts[0] + counts[1]),
    )


def _of_mean(variance: np.ndarray, count: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count >= 2, variance / count, np.nan)
