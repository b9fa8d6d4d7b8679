"""The effects of several turns as one: more turns, surer answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from regulars.errors import InputError
from regulars.measure.effects.minimum_detectable import minimum_detectable


@dataclass(frozen=True)
class PooledEffect:
    """Effect of all turns together.

    Attributes:
        turns: Turns added up.
        estimate: Sum of their effects.
        low: Lower end of the interval.
        high: Upper end of the interval.
        level: Coverage of the interval.
    """

    turns: int
    estimate: float
    low: float
    high: float
    level: float


def pooled_over_turns(
    estimates: Sequence[float], mdes: Sequence[float], *, level: float
) -> PooledEffect:
    """Add up the effects of turns, each measured against a holdout of its own.

    Every turn deals its holdouts afresh, so what is luck in one turn is not in the next:
    variances add. The sum counts what happened inside the windows, not what came later; for
    that, read the programme's effect.

    Args:
        estimates: Effect on all treated customers of each turn, one or more.
        mdes: Minimum detectable effect of each turn, as the table `effects` holds it: the
            standard error is read off it; same length.
        level: Coverage of the intervals the turns were measured with, and of the pooled one.

    Returns:
        The pooled effect with a normal interval.

    Raises:
        InputError: Nothing was given, or lengths differ.

    Source:
        Ours, because independent deals make this the inverse-free sum: nothing is weighted,
        so that the sum means money of all turns.

    Example:
        >>> both = pooled_over_turns([100.0, 200.0], [30.0, 40.0], level=0.9)
        >>> both.estimate, round(both.high - both.estimate, 1)
        (300.0, 33.1)
    """
    if not estimates or len(estimates) != len(mdes):
        raise InputError(
            f"{len(estimates)} estimates and {len(mdes)} minimum detectable effects were given; "
            "give one of each per measured turn, at least one turn"
        )
    unit = minimum_detectable(1.0, level=level)
    error = math.sqrt(math.fsum((mde / unit) ** 2 for mde in mdes))
    total, half = math.fsum(estimates), float(ndtri(0.5 + level / 2)) * error
    return PooledEffect(len(estimates), total, total - half, total + half, level)
