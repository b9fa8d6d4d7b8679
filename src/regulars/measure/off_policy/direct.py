"""The direct method: believe the reward model, as far as the log does not tell otherwise."""

import numpy as np
from scipy.special import ndtri

from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def direct(log: Logged, *, level: float = 0.95) -> PolicyValue:
    """Judge a policy by what a model expects of it.

    Args:
        log: The decisions, with predictions made without the decision itself.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The value. Its interval reaches as much farther as the log allows the model to be off:
        the mean of what it missed, weighted, and the error of that mean.

    Source:
        Beygelzimer & Langford (2009), "The Offset Tree for Learning with Partial Labels", KDD;
        the bound on the bias as in Su et al. (2020), ICML, section 4, without any weights kept.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> log = logged([0, 1], [1.0, 2.5], [0.5, 0.5], [[0.5, 0.5]] * 2, [[1.0, 2.0]] * 2)
        >>> found = direct(log)
        >>> found.value, found.high > 1.75  # the model missed half a unit on one of two
        (1.5, True)
    """
    found = value_of(log.predicted_target, level=level)
    missed = log.weight * (log.reward - log.predicted_taken)
    error = float(missed.std(ddof=1)) / np.sqrt(missed.size) if missed.size > 1 else np.inf
    bias = float(abs(missed.mean()) + ndtri(0.5 + level / 2) * error)
    return PolicyValue(found.value, found.standard_error, found.low - bias, found.high + bias)
