"""How fresh a source is: the age of its newest sign of life against its own rhythm."""

LEAST_SECONDS = 60.0
"""No source is called stale within this time."""


def freshness(age_seconds: float, expected_seconds: float | None) -> float | None:
    """Score how fresh a source is.

    Args:
        age_seconds: Seconds since the last event or the end of the last day it told of.
        expected_seconds: Seconds within which something should come; None when not known.

    Returns:
        1 while it is no later than expected, then the expected time over the age: half when it
        is twice as late; None when nothing is expected.

    Source:
        Ours, because a till that is silent for an hour and a monthly price list must be read by
        one scale.

    Example:
        >>> freshness(30, 300), freshness(600, 300), freshness(10, None)
        (1.0, 0.5, None)
    """
    if expected_seconds is None:
        return None
    expected = max(expected_seconds, LEAST_SECONDS)
    return 1.0 if age_seconds <= expected else expected / age_seconds
