"""Moments: all that a comparison needs to know of the customers of a variant."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, require_fit

Values = NDArray[np.float64]

NEVER_BELOW_ZERO = ("count", "variance", "other_variance")
"""Parts of moments that are 0 or more."""


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of one metric in one variant, or of many at once.

    Every part is a number or an array; arrays broadcast to one shape, such as (comparisons,).
    Engines compute these five sums set-wise (`moments_by_variant`), so that ten million rows
    become one row per variant before any statistics are done.

    Attributes:
        count: Customers, >= 0.
        mean: Mean of the metric.
        variance: Sample variance of the metric (n - 1), >= 0.
        other_mean: Mean of a second quantity of the same customers: what they did before the
            experiment (for CUPED) or the denominator (for a ratio).
        other_variance: Its sample variance, >= 0.
        covariance: Sample covariance of both.
    """

    count: Values
    mean: Values
    variance: Values
    other_mean: Values
    other_variance: Values
    covariance: Values

    def at(self, place: Any) -> "Moments":
        """Take some of many comparisons.

        Args:
            place: An index or mask, as of an array of shape (comparisons,).

        Returns:
            The moments at these places.
        """
        shape = np.broadcast_shapes(*(getattr(self, part.name).shape for part in fields(self)))
        return Moments(
            *(np.broadcast_to(getattr(self, p.name), shape)[place] for p in fields(self))
        )


def moments(
    count: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    other_mean: ArrayLike = 0.0,
    other_variance: ArrayLike = 0.0,
    covariance: ArrayLike = 0.0,
) -> Moments:
    """Take statistics that were computed elsewhere.

    Args:
        count: Customers, >= 0; all arguments broadcast to one shape.
        mean: Mean of the metric.
        variance: Sample variance of the metric, >= 0.
        other_mean: Mean of the covariate or denominator.
        other_variance: Sample variance of it, >= 0.
        covariance: Sample covariance of metric and covariate or denominator.

    Returns:
        The moments.

    Raises:
        InputError: A count or a variance is negative, a count is nan, something is no number or
            infinite, or the shapes do not broadcast.

    Example:
        >>> moments(3407, 0.41, 3.9**2).mean.item()
        0.41
    """
    given = (count, mean, variance, other_mean, other_variance, covariance)
    parts = {
        part.name: floats_given(
            values,
            part.name,
            axes=None,
            least=0.0 if part.name in NEVER_BELOW_ZERO else -np.inf,
            may_lack=part.name != "count",
        )
        for part, values in zip(fields(Moments), given, strict=True)
    }
    require_fit(**parts)
    return Moments(**parts)


def moments_of(values: ArrayLike, other: ArrayLike | None = None) -> Moments:
    """Compute the moments of one variant from one value per customer.

    Args:
        values: The metric, one number per customer, shape (customers,); no nan.
        other: Covariate or denominator of the same customers, shape (customers,).

    Returns:
        The moments; variances are 0 with fewer than two customers.

    Raises:
        InputError: Values hold nan or words, or the two differ in length.

    Example:
        >>> moments_of([1.0, 2.0, 3.0]).variance.item()
        1.0
    """
    own = floats_given(values, "values")
    beside = np.zeros_like(own) if other is None else floats_given(other, "other")
    if own.shape != beside.shape:
        raise InputError(
            f"values have shape {own.shape}, the other quantity {beside.shape}; give one number "
            "per customer in both"
        )
    if own.size == 0:
        return moments(0, 0.0, 0.0)
    centred, other_centred = own - own.mean(), beside - beside.mean()
    spread = max(own.size - 1, 1)
    return moments(
        own.size,
        own.mean(),
        centred @ centred / spread,
        other_mean=beside.mean(),
        other_variance=other_centred @ other_centred / spread,
        covariance=centred @ other_centred / spread,
    )


def pooled(parts: list[Moments]) -> Moments:
    """Join the moments of disjoint groups of customers, such as days or strata.

    Args:
        parts: One or more moments of equal shape.

    Returns:
        The moments of all customers together, as if computed at once.

    Raises:
        InputError: Nothing was given.

    Source:
        Chan, Golub & LeVeque (1983), "Algorithms for Computing the Sample Variance", The
        American Statistician 37(3), eq. 2.1.

    Example:
        >>> whole = pooled([moments_of([1.0, 2.0]), moments_of([3.0, 6.0])])
        >>> whole.mean.item(), round(whole.variance.item(), 6)
        (3.0, 4.666667)
    """
    if not parts:
        raise InputError("no moments were given; give at least one group of customers")
    total = parts[0]
    for part in parts[1:]:
        total = _joined(total, part)
    return total


def _joined(one: Moments, two: Moments) -> Moments:
    count = one.count + two.count
    safe = np.maximum(count, 1)
    weight = one.count * two.count / safe
    gap, other_gap = two.mean - one.mean, two.other_mean - one.other_mean
    spread = np.maximum(count - 1, 1)

    def joined(first: Values, second: Values, between: Values) -> Values:
        within = first * np.maximum(one.count - 1, 0) + second * np.maximum(two.count - 1, 0)
        return np.asarray((within + weight * between) / spread)

    return Moments(
        count,
        (one.mean * one.count + two.mean * two.count) / safe,
        joined(one.variance, two.variance, gap**2),
        (one.other_mean * one.count + two.other_mean * two.count) / safe,
        joined(one.other_variance, two.other_variance, other_gap**2),
        joined(one.covariance, two.covariance, gap * other_gap),
    )
