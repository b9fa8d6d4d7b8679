"""The direct method: believe the reward model."""

from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def direct(log: Logged, *, level: float = 0.95) -> PolicyValue:
    """Judge a policy by what a model expects of it.

    Args:
        log: The decisions, with predictions.
        level: Coverage of the interval, in (0, 1). It knows nothing of the model's own error,
            so it is too narrow; use it beside the others, never alone.

    Returns:
        The value.

    Source:
        Beygelzimer & Langford (2009), "The Offset Tree for Learning with Partial Labels", KDD.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> direct(logged([0], [1.0], [0.5], [[0.5, 0.5]], [[1.0, 2.0]])).value
        1.5
    """
    return value_of(log.predicted_target, level=level)
