"""CUPED: take out of a metric what customers' past already explains."""

import numpy as np

from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.inference.estimate import Estimate, Values
from regulars.measure.experiments.sufficient_statistics import Moments, pooled


def adjustment(control: Moments, treated: Moments) -> Values:
    """Say how much of the metric one unit of the covariate explains.

    Args:
        control: Moments of control with the covariate in the other parts.
        treated: Moments of the treated variant, likewise.

    Returns:
        The slope theta over all customers of both variants; 0 where the covariate does not vary.

    Source:
        Deng, Xu, Kohavi & Walker (2013), "Improving the Sensitivity of Online Controlled
        Experiments by Utilizing Pre-Experiment Data", WSDM '13, eq. 4.

    Example:
        >>> from regulars.measure.experiments import moments_of
        >>> a = moments_of([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
        >>> b = moments_of([3.0, 5.0, 7.0], [1.0, 2.0, 3.0])
        >>> float(adjustment(a, b))
        2.0
    """
    both = pooled([control, treated])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = both.covariance / both.other_variance
    return np.asarray(np.where(both.other_variance > 0, slope, 0.0))


def cuped_difference(control: Moments, treated: Moments, *, relative: bool = False) -> Estimate:
    """Compare means after taking out what the covariate explains.

    The covariate must not be touched by the treatment: use what happened before the
    experiment, never something measured during it.

    Args:
        control: Moments of control; the covariate is the other quantity.
        treated: Moments of the treated variant, likewise.
        relative: True for the change as a share of the adjusted control mean.

    Returns:
        The estimate: the same expectation as the plain difference, and a variance smaller by
        the squared correlation of metric and covariate.

    Source:
        Deng, Xu, Kohavi & Walker (2013), WSDM '13, section 3.

    Example:
        >>> from regulars.measure.experiments import moments, read_once
        >>> a = moments(3407, 0.41, 3.9**2, other_mean=0.40, other_variance=3.5**2,
        ...             covariance=0.7 * 3.9 * 3.5)
        >>> b = moments(3461, 0.70, 6.2**2, other_mean=0.41, other_variance=3.6**2,
        ...             covariance=0.7 * 6.2 * 3.6)
        >>> found = read_once(cuped_difference(a, b))
        >>> round(float(found.effect), 6), round(float(found.p_value), 6)
        (0.279995, 0.002092)
    """
    slope = adjustment(control, treated)
    centre = pooled([control, treated]).other_mean
    return difference(
        _adjusted(control, slope, centre), _adjusted(treated, slope, centre), relative=relative
    )


def _adjusted(own: Moments, slope: Values, centre: Values) -> Moments:
    variance = own.variance - 2 * slope * own.covariance + slope**2 * own.other_variance
    return Moments(
        own.count,
        np.asarray(own.mean - slope * (own.other_mean - centre)),
        np.asarray(np.maximum(variance, 0.0)),
        own.other_mean,
        own.other_variance,
        own.covariance,
    )
