"""How much of the budget the evidence allows: nothing is proven, little is spent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEARNING_TURNS = 2
_LOSING_Z = -2.0
_FORGETS = 0.85
_FROM_Z, _TO_Z = 1.0, 2.5
_LEAST = 0.05


@dataclass(frozen=True)
class Readout:
    """The measured effect of one turn's campaigns together.

    Attributes:
        turn: The turn whose contacts are measured.
        treated: Customers assigned to contact, > 0.
        estimate: Incremental margin of all treated.
        standard_error: Its standard error, > 0.
        cost: Contact cost of the treated.
    """

    turn: int
    treated: int
    estimate: float
    standard_error: float
    cost: float


def spend_share(
    slopes: Sequence[tuple[float, float]], readouts: Sequence[Readout]
) -> tuple[float, float]:
    """Say which share of the budget may be spent next.

    The proof is the slope of measured on predicted effects, pooled over turns, newer ones
    counting more: where contacts do nothing it is zero, whatever was predicted. With fewer
    than two slopes all of the budget may be spent: the loop is learning. After that the share
    rises from 5 % at one standard error above zero to 100 % at two and a half. It falls back to
    5 % when the holdouts say that contacts lose money.

    Args:
        slopes: Slope and its standard error by turn, oldest first, without the first turn,
            which predicted without data.
        readouts: Measured turns, any order.

    Returns:
        The share, 0.05 to 1, and the pooled slope in standard errors; nan while learning.

    Source:
        Ours, because a guardrail should be something a marketer can check by hand: money
        flows when predictions come true.

    Example:
        >>> spend_share([(1.0, 0.2), (0.9, 0.2)], [])[0], spend_share([(0.1, 0.4)] * 3, [])[0]
        (1.0, 0.05)
    """
    known = [(s, e) for s, e in slopes if np.isfinite(e)]
    if len(known) < _LEARNING_TURNS:
        return 1.0, float("nan")
    keep = _FORGETS ** np.arange(len(known) - 1, -1, -1)
    slope, precision = np.array([s for s, _ in known]), np.array([e**-2 for _, e in known])
    weight = keep * precision
    z = float((weight * slope).sum() / np.sqrt((weight * keep).sum()))
    share = float(np.clip((z - _FROM_Z) / (_TO_Z - _FROM_Z), _LEAST, 1.0))
    return (_LEAST if losing(readouts) else share), z


def losing(readouts: Sequence[Readout]) -> bool:
    """Say whether the holdouts prove that contacts cost more than they bring.

    Args:
        readouts: Measured turns, any order.

    Returns:
        True when the gain per contact, pooled over turns, is 2 standard errors below zero.

    Example:
        >>> losing([Readout(1, 1000, -500.0, 100.0, 50.0)])
        True
    """
    if not readouts:
        return False
    newest = max(r.turn for r in readouts)
    keep = np.array([_FORGETS ** (newest - r.turn) for r in readouts])
    weight = keep * np.array([(r.treated / r.standard_error) ** 2 for r in readouts])
    gain = np.array([(r.estimate - r.cost) / r.treated for r in readouts])
    return bool((weight * gain).sum() / np.sqrt((weight * keep).sum()) < _LOSING_Z)


def calibration(slopes: Sequence[tuple[float, float]]) -> float:
    """Pool measured over predicted effects into one factor.

    Args:
        slopes: Slope and its standard error by turn.

    Returns:
        A factor from 0.3 to 1.3, shrunk to 1 with a spread of 0.3.

    Example:
        >>> round(calibration([(0.5, 0.1)]), 2)
        0.55
    """
    known = [(s, e) for s, e in slopes if np.isfinite(e)]
    weight = 1 / 0.3**2 + sum(e**-2 for _, e in known)
    total = 1 / 0.3**2 + sum(s * e**-2 for s, e in known)
    return float(np.clip(total / weight, 0.3, 1.3))
