"""Belief: how likely is the treated variant better, and what is at risk if it is not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, ndtr

from regulars.errors import InputError
from regulars.measure.experiments.inference.estimate import Estimate, Values
from regulars.numerics.given import floats_given, number_given, require_fit

_EVEN, _SHARES = np.polynomial.legendre.leggauss(128)
# Quantiles turn steep at both ends; there the levels asked for lie close together.
_LEVELS = (_EVEN + 1) ** 2 / 4 * (2 - _EVEN)
_PARTS = _SHARES * 3 / 4 * (1 - _EVEN**2)


@dataclass(frozen=True)
class Belief:
    """What is believed of an effect.

    Attributes:
        mean: Expected effect.
        spread: Standard deviation of the belief.
        chance: Probability that the treated variant is better.
        risk_of_treated: Expected loss of choosing the treated variant, in the unit of the effect.
        risk_of_control: Expected loss of staying with control.
    """

    mean: Values
    spread: Values
    chance: Values
    risk_of_treated: Values
    risk_of_control: Values


def believe(estimate: Estimate, *, prior_mean: float = 0.0, prior_spread: float = np.inf) -> Belief:
    """Say what to believe of an effect, from what was measured and what was believed before.

    Args:
        estimate: One comparison or many; read once, at the end.
        prior_mean: Effect expected beforehand.
        prior_spread: Standard deviation of that expectation, > 0; infinite where nothing was
            known.

    Returns:
        The belief; nan where the estimate has no standard error.

    Raises:
        InputError: The spread is not above 0.

    Source:
        Normal likelihood and prior; expected loss as in Stucchi (2015), "Bayesian A/B Testing at
        VWO", section 3.

    Example:
        >>> from regulars.measure.experiments import difference, moments
        >>> a, b = moments(3407, 0.41, 3.9**2), moments(3461, 0.70, 6.2**2)
        >>> found = believe(difference(a, b, relative=True))
        >>> round(float(found.chance), 4), round(float(found.risk_of_treated), 4)
        (0.9691, 0.0046)
    """
    number_given(prior_mean, "prior_mean")
    if not number_given(prior_spread, "prior_spread") > 0:
        raise InputError(f"prior_spread is {prior_spread}, must be above 0, or infinite for none")
    error = np.where(estimate.standard_error > 0, estimate.standard_error, np.nan)
    precision = error**-2 + prior_spread**-2
    mean = (estimate.effect * error**-2 + prior_mean * prior_spread**-2) / precision
    spread = precision**-0.5
    score = mean / spread
    density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
    gain = spread * (density + score * ndtr(score))
    return Belief(*(np.asarray(part) for part in (mean, spread, ndtr(score), gain - mean, gain)))


def believe_shares(
    control_hits: ArrayLike,
    control_count: ArrayLike,
    treated_hits: ArrayLike,
    treated_count: ArrayLike,
    *,
    prior: tuple[float, float] = (0.5, 0.5),
) -> Belief:
    """Say what to believe of a difference between two shares, exactly, from however few.

    Args:
        control_hits: Customers of control who did it, one comparison or many.
        control_count: Customers of control.
        treated_hits: Customers of the treated variant who did it.
        treated_count: Customers of the treated variant.
        prior: Shapes of the beta believed beforehand of either share, > 0.

    Returns:
        The belief of the treated share less that of control.

    Raises:
        InputError: More did it than there are, or a shape is not above 0.

    Source:
        Beta-binomial conjugacy with the prior of Jeffreys; the integral over the treated share
        by quadrature over its quantiles, ours, so that no draw is needed.

    Example:
        >>> found = believe_shares(42, 104, 500, 1009)
        >>> round(float(found.chance), 3), round(float(found.mean), 4)
        (0.963, 0.0908)
    """
    hits, counts = (
        [floats_given(part, name, axes=None, least=0) for part in pair]
        for name, pair in (
            ("hits", (control_hits, treated_hits)),
            ("count", (control_count, treated_count)),
        )
    )
    require_fit(
        control_hits=hits[0], control_count=counts[0], treated_hits=hits[1], treated_count=counts[1]
    )
    if any(((hit < 0) | (hit > count)).any() for hit, count in zip(hits, counts, strict=True)):
        raise InputError("hits must be from 0 to the count of customers")
    if not min(prior) > 0:
        raise InputError(f"prior is {prior}, both shapes must be above 0")
    (a, b), (c, d) = (
        (hit + prior[0], count - hit + prior[1]) for hit, count in zip(hits, counts, strict=True)
    )
    own, other = a / (a + b), c / (c + d)
    at = betaincinv(c[..., None], d[..., None], _LEVELS)
    below = betainc(a[..., None], b[..., None], at)
    beyond = own[..., None] * (1 - betainc(a[..., None] + 1, b[..., None], at))
    risk = ((beyond - at * (1 - below)) * _PARTS).sum(axis=-1)
    spread = np.sqrt(own * (1 - own) / (a + b + 1) + other * (1 - other) / (c + d + 1))
    chance = (below * _PARTS).sum(axis=-1)
    found = (other - own, spread, chance, risk, risk + other - own)
    return Belief(*(np.asarray(part) for part in found))
