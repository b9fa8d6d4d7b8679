"""Doubly robust (DR): the model's belief, corrected by what it got wrong where it was tried."""

from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def doubly_robust(log: Logged, *, level: float = 0.95) -> PolicyValue:
    """Judge a policy by model and weights together.

    Right when either the propensities or the model are; ours always know the propensities.

    Args:
        log: The decisions, with predictions made without the decision itself.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The value.

    Source:
        Dudik, Langford & Li (2011), "Doubly Robust Policy Evaluation and Learning", ICML.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> log = logged([1, 0], [3.0, 0.0], [0.5, 0.5], [[0, 1], [0, 1]], [[0, 2.0], [0, 2.0]])
        >>> doubly_robust(log).value
        3.0
    """
    correction = log.weight * (log.reward - log.predicted_taken)
    return value_of(log.predicted_target + correction, level=level)
