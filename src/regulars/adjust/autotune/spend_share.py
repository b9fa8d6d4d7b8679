"""How much of the budget the evidence allows: nothing is proven, little is spent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEARNING_TURNS = 3
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
    readouts: Sequence[Readout], *, after_effect: float, after_margin: float
) -> tuple[float, float]:
    """Say which share of the budget may be spent next.

    The net gain per contact is pooled over turns, newer ones counting more. With fewer than
    three readouts all of the budget may be spent: the loop is learning. After that the share
    rises from 5 % at one standard error above nothing to 100 % at two and a half.

    Args:
        readouts: Measured turns, any order.
        after_effect: Later orders per order caused in the window.
        after_margin: Margin a contact causes after the window, per contact.

    Returns:
        The share, 0.05 to 1, and the pooled gain in standard errors.

    Source:
        Ours, because the goal is a guardrail a marketer can check by hand: money flows when
        the holdouts say that contacts pay.

    Example:
        >>> flat = [Readout(t, 1000, 0.0, 100.0, 50.0) for t in (1, 2, 3)]
        >>> spend_share(flat, after_effect=0.0, after_margin=0.0)[0]
        0.05
    """
    if len(readouts) < _LEARNING_TURNS:
        return 1.0, float("nan")
    newest = max(r.turn for r in readouts)
    weight = np.array(
        [
            _FORGETS ** (newest - r.turn) * (r.treated / r.standard_error) ** 2
            for r in readouts
        ]
    )
    gain = np.array(
        [
            (r.estimate * (1 + after_effect) - r.cost) / r.treated + after_margin
            for r in readouts
        ]
    )
    age = np.array([_FORGETS ** (newest - r.turn) for r in readouts])
    z = float((weight * gain).sum() / np.sqrt((weight * age).sum()))
    share = (z - _FROM_Z) / (_TO_Z - _FROM_Z)
    return float(np.clip(share, _LEAST, 1.0)), z


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
