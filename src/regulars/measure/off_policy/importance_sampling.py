"""Inverse propensity scoring (IPS): weigh what happened by how much likelier it would have been."""

from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def importance_sampling(log: Logged, *, level: float = 0.95) -> PolicyValue:
    """Judge a policy by weighted rewards; unbiased wherever the log explored.

    Args:
        log: The decisions.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The value.

    Source:
        Horvitz & Thompson (1952), JASA 47; Strehl, Langford, Li & Kakade (2010), "Learning from
        Logged Implicit Exploration Data", NIPS 23.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> importance_sampling(logged([0, 1], [1.0, 3.0], [0.5, 0.5], [[0, 1], [0, 1]])).value
        3.0
    """
    return value_of(log.weight * log.reward, level=level)
