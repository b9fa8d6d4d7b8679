"""DR with optimistic shrinkage (DRos): weights shrunk towards what they can be trusted for."""

from collections.abc import Sequence

import numpy as np

from regulars.errors import InputError
from regulars.measure.off_policy.logged import Floats, Logged
from regulars.measure.off_policy.value import PolicyValue, value_of

GRID = (0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)


def shrunk_doubly_robust(
    log: Logged, *, level: float = 0.95, strengths: Sequence[float] = GRID
) -> PolicyValue:
    """Judge a policy by doubly robust terms whose weights are shrunk.

    Args:
        log: The decisions, with predictions.
        level: Coverage of the interval, in (0, 1).
        strengths: Amounts of shrinkage tried, > 0; near 0 the model alone, large the plain
            weights. The one with the least estimated squared error is taken.

    Returns:
        The value; its interval allows for the bias that shrinking may have brought.

    Raises:
        InputError: No strength, or one of 0 or below.

    Source:
        Su, Dimakopoulou, Krishnamurthy & Dudik (2020), "Doubly Robust Off-policy Evaluation
        with Shrinkage", ICML, sections 3 and 4.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> log = logged([1, 0], [3.0, 0.0], [0.5, 0.5], [[0, 1], [0, 1]], [[0, 2.0], [0, 2.0]])
        >>> round(shrunk_doubly_robust(log, strengths=[1e6]).value, 3)
        3.0
    """
    if not strengths or min(strengths) <= 0:
        raise InputError(f"strengths are {list(strengths)}, must be above 0")
    weight, missed = log.weight, log.reward - log.predicted_taken
    best: tuple[float, float, Floats] | None = None
    for strength in sorted(strengths):
        shrunk = strength / (weight**2 + strength) * weight
        terms = log.predicted_target + shrunk * missed
        bias = _bias(weight, shrunk, missed)
        error = float(terms.var(ddof=1)) / terms.size + bias**2 if terms.size > 1 else bias**2
        if best is None or error < best[0]:
            best = (error, bias, terms)
    assert best is not None  # strengths is not empty
    found = value_of(best[2], level=level)
    return PolicyValue(found.value, found.standard_error, found.low - best[1], found.high + best[1])


def _bias(weight: Floats, shrunk: Floats, missed: Floats) -> float:
    """Upper bound on what shrinking may have taken away: its mean, and the error of that."""
    lost = (shrunk - weight) * missed
    error = lost.std(ddof=1) / np.sqrt(lost.size) if lost.size > 1 else 0.0
    return float(abs(lost.mean()) + error)
