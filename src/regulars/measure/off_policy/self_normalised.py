"""Self-normalised importance sampling (SNIPS): a weighted mean, which outsize weights hurt less."""

from regulars.errors import InputError
from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def self_normalised(log: Logged, *, level: float = 0.95) -> PolicyValue:
    """Judge a policy by the weighted mean of rewards.

    Args:
        log: The decisions.
        level: Coverage of the interval, in (0, 1); its error by the delta method.

    Returns:
        The value, within the range of rewards seen; its bias vanishes with more decisions.

    Raises:
        InputError: The policy takes no arm that was ever taken.

    Source:
        Swaminathan & Joachims (2015), "The Self-Normalized Estimator for Counterfactual
        Learning", NIPS 28.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> log = logged([0, 1, 1], [1.0, 3.0, 2.0], [0.5, 0.25, 0.5], [[0, 1]] * 3)
        >>> round(self_normalised(log).value, 4)
        2.6667
    """
    weight = log.weight
    if not weight.any():
        raise InputError("the policy takes no arm of the log; it cannot be judged by it")
    value = float((weight * log.reward).sum() / weight.sum())
    influence = weight * (log.reward - value) / weight.mean()
    return value_of(influence, level=level, value=value)
