"""Belief: how likely is the treated variant better, and what is at risk if it is not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from regulars.errors import InputError
from regulars.measure.experiments.inference.estimate import Estimate, Values


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
    if not prior_spread > 0:
        raise InputError(f"prior_spread is {prior_spread}, must be above 0, or infinite for none")
    error = np.where(estimate.standard_error > 0, estimate.standard_error, np.nan)
    precision = error**-2 + prior_spread**-2
    mean = (estimate.effect * error**-2 + prior_mean * prior_spread**-2) / precision
    spread = precision**-0.5
    score = mean / spread
    density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
    gain = spread * (density + score * ndtr(score))
    return Belief(*(np.asarray(part) for part in (mean, spread, ndtr(score), gain - mean, gain)))
