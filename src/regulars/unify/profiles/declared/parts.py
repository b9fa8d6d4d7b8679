"""What indicators are made of: what the folds gave for many customers, and how it is finished."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Keyed:
    """Amounts per customer and key.

    Attributes:
        customer: Row of the customer, ascending, shape (rows,).
        key: Rank of the key in `names`, ascending within a customer, shape (rows,).
        amount: Whole numbers above 0, shape (rows,).
        names: The keys in ascending order: words, or hours.
    """

    customer: NDArray[np.int64]
    key: NDArray[np.int64]
    amount: NDArray[np.int64]
    names: tuple[Any, ...]


@dataclass(frozen=True)
class Population:
    """What holds for all customers together, which one customer alone cannot tell.

    Attributes:
        history_day: First day number of the retailer's orders.
        mean_margin: Margin over sales of all customers together; None before any sale.
        prior_spend: Spend that counts as evidence for the mean, in hundredths.
    """

    history_day: int
    mean_margin: float | None
    prior_spend: float


@dataclass(frozen=True)
class Parts:
    """What the folds gave for all customers, ready to finish.

    Attributes:
        as_of: Day number looked from.
        joined_day: Day number of joining, nan where unknown, shape (customers,).
        history_day: First day number of the retailer's orders; `as_of` when there are none.
        margin_rate: Margin over sales where cost is unknown.
        number: Value per fold, shape (customers,).
        keyed: Amounts per keyed fold.
        population: What holds for all customers together; None when these are all there are.
    """

    as_of: int
    joined_day: Numbers
    history_day: int
    margin_rate: float
    number: Mapping[str, Numbers]
    keyed: Mapping[str, Keyed]
    population: Population | None = None

    def __getitem__(self, name: str) -> Numbers:
        """Give the values of one fold."""
        return self.number[name]


@dataclass(frozen=True)
class Indicator:
    """One behavioural indicator.

    Attributes:
        name: Column of `profiles`.
        finish: Gives its values from the folds, row by row; nan or None where it says nothing.
    """

    name: str
    finish: Callable[[Parts], NDArray[Any]]


def ratio(top: Numbers, bottom: Numbers) -> Numbers:
    """Divide where there is something to divide by.

    Args:
        top: Numerators.
        bottom: Denominators, same shape.

    Returns:
        Ratios; nan where the denominator is not above 0.

    Example:
        >>> ratio(np.array([1.0, 2.0]), np.array([4.0, 0.0])).tolist()
        [0.25, nan]
    """
    there = bottom > 0
    return np.where(there, top / np.where(there, bottom, 1.0), np.nan)


def ranked_key(parts: Parts, name: str, place: int) -> NDArray[Any]:
    """Give the key with the most (place 0) or second most (1); ties go to the first key."""
    keyed = parts.keyed[name]
    customer, amount = keyed.customer, keyed.amount.copy()
    found = np.full(len(parts.joined_day), None, dtype=object)
    names = np.array(keyed.names, dtype=object)
    for _ in range(place + 1):
        starts = np.flatnonzero(np.diff(customer, prepend=-1))
        if not starts.size:
            return np.full_like(found, None)
        most = np.maximum.reduceat(amount, starts)
        rows = np.flatnonzero(amount == np.repeat(most, np.diff(starts, append=amount.size)))
        first = rows[np.flatnonzero(np.diff(customer[rows], prepend=-1))]
        best = first[amount[first] > 0]
        found[:] = None
        found[customer[best]] = names[keyed.key[best]]
        amount[best] = 0
    return found


def per_customer(keyed: Keyed, values: NDArray[Any], customers: int) -> Numbers:
    """Add up the rows of each customer, in their fixed order: the same bytes every time.

    Returns:
        Sums, shape (customers,); 0 where there is no row.
    """
    return np.bincount(keyed.customer, weights=values, minlength=customers).astype(np.float64)
