"""The value x activity grid: who is worth most, and who is falling silent."""

import numpy as np
from numpy.typing import NDArray

from regulars.understand.value.history import Rhythm

Numbers = NDArray[np.float64]
Words = NDArray[np.str_]

VALUE_TIERS = ("high", "middle", "low")
ACTIVITY_TIERS = ("active", "cooling", "sleeping")
_HIGH_SHARE, _MIDDLE_SHARE = 0.2, 0.5
_COOLING_GAPS, _SLEEPING_GAPS = 2.0, 4.0
_PRIOR_GAPS = 2.0


def value_tiers(values: Numbers) -> Words:
    """Part customers by value: the best fifth is high, the next three tenths middle.

    Args:
        values: Expected value per customer, money, shape (customers,).

    Returns:
        high, middle or low, shape (customers,). Equal values are parted by position; nobody
        with a value of 0 or less is above low.

    Example:
        >>> value_tiers(np.array([5.0, 1.0, 4.0, 0.0])).tolist()
        ['high', 'low', 'middle', 'low']
    """
    place = np.empty(len(values))
    place[np.argsort(-values, kind="stable")] = np.arange(len(values))
    share = place / max(len(values), 1)
    tier = np.where(share < _HIGH_SHARE, "high", np.where(share < _MIDDLE_SHARE, "middle", "low"))
    return np.asarray(np.where(values > 0, tier, "low"))


def activity_tiers(rhythm: Rhythm, customers: int) -> Words:
    """Part customers by how long they have been silent, in gaps of their own rhythm.

    The own gap is the mean over the gaps seen and two typical ones, a week at least: active up
    to two gaps of silence, cooling up to four, sleeping after that.

    Args:
        rhythm: Order days of the customers with an order.
        customers: Number of all customers.

    Returns:
        active, cooling or sleeping, shape (customers,); sleeping without an order.

    Source:
        Ours, because P(alive) of BG/NBD is 1 for everyone with a single order.
    """
    again = rhythm.x > 0
    typical = float(np.median(rhythm.t_x[again] / rhythm.x[again])) if again.any() else 4.0
    gap = (rhythm.t_x + _PRIOR_GAPS * typical) / (rhythm.x + _PRIOR_GAPS)
    silent = (rhythm.T - rhythm.t_x) / np.maximum(gap, 1.0)
    tier = np.where(
        silent <= _COOLING_GAPS, "active", np.where(silent <= _SLEEPING_GAPS, "cooling", "sleeping")
    )
    found = np.full(customers, "sleeping", dtype="<U8")
    found[rhythm.customer] = tier
    return found


def grid_cells(value_tier: Words, activity_tier: Words) -> Words:
    """Name the cell of each customer: value tier, hyphen, activity tier."""
    return np.char.add(np.char.add(value_tier, "-"), activity_tier)


def allocation_error(cells: Words, expected: Numbers, actual: Numbers) -> float:
    """Tell how much of the spend the grid puts in the wrong cell.

    Args:
        cells: Cell of each customer, shape (customers,).
        expected: Spend expected, shape (customers,).
        actual: Spend seen, shape (customers,).

    Returns:
        Half the sum of differences of the cells' shares, 0 to 1: the share of spend that would
        have to move to another cell; nan when nothing was expected or spent.

    Example:
        >>> cells = np.array(["a", "b"])
        >>> allocation_error(cells, np.array([6.0, 4.0]), np.array([50.0, 50.0]))
        0.1
    """
    if expected.sum() <= 0 or actual.sum() <= 0:
        return float("nan")
    _, at = np.unique(cells, return_inverse=True)
    gaps = np.bincount(at, weights=expected / expected.sum() - actual / actual.sum())
    return round(float(np.abs(gaps).sum()) / 2, 12)
