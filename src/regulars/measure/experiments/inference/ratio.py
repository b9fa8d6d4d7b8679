"""Ratio metrics: a sum over a sum, such as revenue per order, randomised by customer."""

import numpy as np

from regulars.measure.experiments.inference.difference import compared
from regulars.measure.experiments.inference.estimate import Estimate, Values
from regulars.measure.experiments.sufficient_statistics import Moments


def ratio_difference(control: Moments, treated: Moments, *, relative: bool = False) -> Estimate:
    """Compare ratios whose denominator varies from customer to customer.

    Orders of one customer are alike, so counting each order as an independent observation
    makes intervals too narrow; the delta method keeps the customer as the unit.

    Args:
        control: Moments of the numerator per customer, with the denominator as the other
            quantity.
        treated: Moments of the treated variant, likewise.
        relative: True for the change as a share of the control ratio.

    Returns:
        The estimate; nan where a variant has no denominator.

    Source:
        Deng, Knoblich & Lu (2018), "Applying the Delta Method in Metric Analytics: A Practical
        Guide with Novel Ideas", KDD '18, section 3.

    Example:
        >>> from regulars.measure.experiments import moments_of
        >>> a, b = moments_of([10.0, 0.0, 6.0], [2.0, 0.0, 1.0]), moments_of([9.0, 4.0], [1.0, 1.0])
        >>> round(float(ratio_difference(a, b).effect), 4)
        1.1667
    """
    base, base_variance = _ratio(control)
    other, other_variance = _ratio(treated)
    counts = (control.count, treated.count)
    return compared(base, other, base_variance, other_variance, counts=counts, relative=relative)


def _ratio(own: Moments) -> tuple[Values, Values]:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = own.mean / own.other_mean
        variance = (own.variance - 2 * value * own.covariance + value**2 * own.other_variance) / (
            own.count * own.other_mean**2
        )
    whole = (own.count >= 2) & (own.other_mean != 0)
    return np.where(whole, value, np.nan), np.where(whole, np.maximum(variance, 0), np.nan)
