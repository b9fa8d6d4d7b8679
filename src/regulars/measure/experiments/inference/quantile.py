"""Quantile metrics: the median basket, the 95th percentile of a waiting time."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.measure.experiments.inference.difference import compared
from regulars.measure.experiments.inference.estimate import Estimate
from regulars.numerics.given import floats_given, number_given

_PROBE = 0.05
"""Tail of the order-statistic interval from which the standard error is read."""


def quantile_difference(
    control: ArrayLike, treated: ArrayLike, *, share: float = 0.5, relative: bool = False
) -> Estimate:
    """Compare a quantile of a metric with one value per customer.

    Args:
        control: Values of control, shape (customers,); no nan.
        treated: Values of the treated variant, shape (other customers,).
        share: Which quantile, in (0, 1); 0.5 is the median.
        relative: True for the change as a share of the control quantile.

    Returns:
        The estimate, one number each. Where many customers share one value the standard error
        may be 0: then nothing is claimed.

    Raises:
        InputError: The share is not in (0, 1), or a variant has so few customers that the
            quantile has no interval.

    Source:
        Price & Bonett (2001), "Estimating the Variance of the Sample Median", Journal of
        Statistical Computation and Simulation 68: from order statistics, no density needed;
        used for any quantile as in Deng, Knoblich & Lu (2018), KDD '18, section 4.

    Example:
        >>> found = quantile_difference(range(1, 102), range(11, 112))
        >>> float(found.effect), round(float(found.standard_error), 2)
        (10.0, 7.58)
    """
    if not 0 < number_given(share, "share") < 1:
        raise InputError(f"share is {share}, must be between 0 and 1, such as 0.5 for the median")
    base, base_variance, base_count = _quantile(floats_given(control, "control"), share)
    other, other_variance, other_count = _quantile(floats_given(treated, "treated"), share)
    return compared(
        base,
        other,
        base_variance,
        other_variance,
        counts=(base_count, other_count),
        relative=relative,
    )


def _quantile(values: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ordered = np.sort(values)
    count = ordered.size
    factor = float(ndtri(1 - _PROBE / 2))
    margin = factor * np.sqrt(count * share * (1 - share))
    low, high = int(np.floor(count * share - margin)), int(np.ceil(count * share + margin))
    if low < 0 or high >= count:
        raise InputError(
            f"{count} customers are too few for quantile {share}; wait for more, or choose one "
            "nearer to the median"
        )
    error = (ordered[high] - ordered[low]) / (2 * factor)
    found = np.quantile(ordered, share)
    return np.asarray(found), np.asarray(error**2), np.asarray(float(count))
