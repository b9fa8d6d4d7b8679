"""The smallest true effect that an experiment of this precision would have found."""

from scipy.special import ndtri


def minimum_detectable(standard_error: float, *, level: float, power: float = 0.8) -> float:
    """Say how big an effect must be to be told from zero with a given probability.

    Args:
        standard_error: Standard error of the estimate, in the unit of the effect, >= 0.
        level: Coverage of the two-sided interval that is compared with zero, in (0, 1).
        power: Probability of finding the effect, in (0.5, 1).

    Returns:
        The minimum detectable effect, in the unit of the standard error.

    Source:
        Bloom (1995), "Minimum Detectable Effects", Evaluation Review 19(5): 2.49 standard
        errors for a two-sided 90 % interval and power 0.8.

    Example:
        >>> round(minimum_detectable(1.0, level=0.9), 2)
        2.49
    """
    return float((ndtri(0.5 + level / 2) + ndtri(power)) * standard_error)
