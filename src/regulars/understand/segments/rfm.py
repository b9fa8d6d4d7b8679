"""RFM: recency, frequency and money in fifths, and the names marketers give the cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

FIFTHS = 5
PROSPECTS = "prospects"

# Recency fifths across, mean of frequency and money down; read as "from recency, from mean".
_CELLS = (
    ("champions", 4, 5, 4, 5),
    ("loyal", 3, 5, 3, 5),
    ("potential_loyal", 4, 5, 2, 3),
    ("new", 5, 5, 1, 2),
    ("promising", 4, 4, 1, 2),
    ("need_attention", 3, 3, 2, 3),
    ("about_to_sleep", 3, 3, 1, 2),
    ("cannot_lose", 1, 1, 4, 5),
    ("at_risk", 1, 2, 3, 5),
    ("hibernating", 1, 2, 1, 3),
)
SEGMENTS = (*(cell[0] for cell in _CELLS), PROSPECTS)


@dataclass(frozen=True)
class RFMScores:
    """Scores of every customer.

    Attributes:
        recency: 5 for the fifth that bought most recently, shape (customers,).
        frequency: 5 for the fifth with most orders.
        monetary: 5 for the fifth that paid most.
        segment: Name of the cell.
    """

    recency: Integers
    frequency: Integers
    monetary: Integers
    segment: NDArray[np.str_]


def fifths(values: Numbers, *ties: Numbers) -> Integers:
    """Part customers into five groups of equal size.

    Args:
        values: What to order by; the greatest get 5; shape (customers,).
        ties: What to order equal values by, greatest best; then by position.

    Returns:
        1 to 5, shape (customers,).

    Example:
        >>> fifths(np.array([10.0, 50.0, 20.0, 40.0, 30.0])).tolist()
        [1, 5, 2, 4, 3]
    """
    order = np.lexsort((*reversed(ties), values))
    score = np.empty(len(values), dtype=np.int64)
    score[order] = np.arange(len(values)) * FIFTHS // max(len(values), 1) + 1
    return score


def score_rfm(recency_days: Numbers, orders: Numbers, monetary: Numbers) -> RFMScores:
    """Score customers by recency, frequency and money.

    Customers without an order are not parted into fifths: they score 1 and are prospects.

    Args:
        recency_days: Days since the last order, shape (customers,).
        orders: Orders so far, >= 0.
        monetary: Paid so far.

    Returns:
        Scores and segments. Equal values are parted by the other two measures, then by
        position, so that the fifths are of equal size and the same every time.

    Source:
        Hughes (1994), "Strategic Database Marketing": fifths; the names of the cells follow
        marketers' use, the borders are ours.
    """
    bought = orders > 0
    scores = np.ones((3, len(orders)), dtype=np.int64)
    recent, often, much = -recency_days[bought], orders[bought], monetary[bought]
    scores[0, bought] = fifths(recent, often, much)
    scores[1, bought] = fifths(often, much, recent)
    scores[2, bought] = fifths(much, often, recent)
    recency, frequency, money = scores
    segment = np.where(bought, segment_names(recency, frequency, money), PROSPECTS)
    return RFMScores(recency, frequency, money, segment)


def segment_names(recency: Integers, frequency: Integers, monetary: Integers) -> NDArray[np.str_]:
    """Name the cell of each customer.

    Args:
        recency: 1 to 5, shape (customers,).
        frequency: 1 to 5.
        monetary: 1 to 5.

    Returns:
        One of `SEGMENTS`, shape (customers,).

    Example:
        >>> segment_names(np.array([5, 1]), np.array([5, 5]), np.array([4, 5])).tolist()
        ['champions', 'cannot_lose']
    """
    strength = (frequency + monetary) / 2
    inside = [
        (recency >= from_r) & (recency <= to_r) & (strength >= from_s) & (strength <= to_s)
        for _, from_r, to_r, from_s, to_s in _CELLS
    ]
    return np.select(inside, [cell[0] for cell in _CELLS], default="need_attention")
