"""The order history of all customers, looked at from any earlier day."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.numerics.arrays import numbers

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """Orders by customer and day, and since when each customer is known.

    Attributes:
        customers: Number of customers.
        customer: Row of the customer, 0 to customers - 1, shape (days,).
        day: Day number, shape (days,).
        orders: Orders of the customer on the day, shape (days,).
        paid: Money paid that day, shape (days,).
        known_day: Day number since when a customer is known: joining, else the first order;
            infinite for neither; shape (customers,).
        first_day: First day number anybody ordered.
    """

    customers: int
    customer: Integers
    day: Integers
    orders: Numbers
    paid: Numbers
    known_day: Numbers
    first_day: int

    def until(self, day: int) -> "History":
        """Give the same history as it was at the end of a day: nothing later is in it."""
        seen = self.day <= day
        return History(
            self.customers,
            self.customer[seen],
            self.day[seen],
            self.orders[seen],
            self.paid[seen],
            self.known_day,
            self.first_day,
        )

    def weeks(self, as_of: int) -> int:
        """Count the weeks, full or begun, from the first order to the end of a day."""
        return max((as_of - self.first_day) // 7 + 1, 0)


@dataclass(frozen=True)
class Rhythm:
    """What BG/NBD and Gamma-Gamma need of customers with an order, time in weeks.

    Attributes:
        customer: Rows of the customers with an order, shape (buyers,).
        x: Order days after the first, shape (buyers,).
        t_x: Weeks from the first order day to the last, shape (buyers,).
        T: Weeks from the first order day to now, shape (buyers,).
        mean_spend: Money per order day after the first; 0 where there is none; shape (buyers,).
    """

    customer: Integers
    x: Numbers
    t_x: Numbers
    T: Numbers
    mean_spend: Numbers


def history_of(order_days: pa.Table, customers: pa.Table) -> History:
    """Read a history.

    Args:
        order_days: customer_id, day, orders, paid (in hundredths); customers not wanted are
            left out.
        customers: The customers wanted: customer_id, joined_day.

    Returns:
        The history, customers in the given order, days in order within a customer: sums of
        money then come out the same however the engine gave the rows.

    Example:
        >>> days = pa.table({"customer_id": ["b", "a", "a"], "day": [9, 7, 2], "orders": [1, 1, 2],
        ...                  "paid": [500, 1250, 900]})
        >>> people = pa.table({"customer_id": ["a", "b"], "joined_day": [1, None]})
        >>> found = history_of(days, people)
        >>> found.customer.tolist(), found.day.tolist(), found.paid.tolist()
        ([0, 0, 1], [2, 7, 9], [9.0, 12.5, 5.0])
    """
    ids = customers.column("customer_id").combine_chunks()
    at = pc.index_in(order_days.column("customer_id"), value_set=ids)
    wanted = pc.is_valid(at)
    found = order_days.filter(wanted)
    customer = at.filter(wanted).to_numpy().astype(np.int64)
    day = found.column("day").to_numpy().astype(np.int64)
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    first = np.full(len(ids), np.inf)
    np.minimum.at(first, customer, day)
    joined = numbers(customers, "joined_day")
    return History(
        customers=len(ids),
        customer=customer,
        day=day,
        orders=numbers(found, "orders")[order],
        paid=numbers(found, "paid")[order] / 100,
        known_day=np.where(np.isnan(joined), first, np.minimum(joined, first)),
        first_day=int(day.min()) if day.size else 0,
    )


def weekly(history: History, amounts: Numbers, *, as_of: int, weeks: int) -> Numbers:
    """Add up amounts by customer and week before a day.

    Args:
        history: The history; later days are left out.
        amounts: What to add, one per row of the history.
        as_of: Day number; the newest week ends with it.
        weeks: Weeks wanted.

    Returns:
        Sums, shape (customers, weeks), the newest week first.

    Example:
        >>> days = np.array([7, 14])
        >>> one = History(1, np.zeros(2, int), days, np.ones(2), np.ones(2), np.zeros(1), 7)
        >>> weekly(one, one.orders, as_of=14, weeks=2).tolist()
        [[1.0, 1.0]]
    """
    age = (as_of - history.day) // 7
    inside = (age >= 0) & (age < weeks)
    cell = history.customer[inside] * weeks + age[inside]
    flat = np.bincount(cell, weights=amounts[inside], minlength=history.customers * weeks)
    return flat.astype(np.float64).reshape(history.customers, weeks)


def total_after(history: History, amounts: Numbers, *, after: int, weeks: int) -> Numbers:
    """Add up amounts over the weeks after a day.

    Returns:
        Sums, shape (customers,).
    """
    inside = (history.day > after) & (history.day <= after + 7 * weeks)
    return np.bincount(
        history.customer[inside], weights=amounts[inside], minlength=history.customers
    ).astype(np.float64)


def rhythm_of(history: History, *, as_of: int) -> Rhythm:
    """Sum up the order days of each customer before a day.

    Args:
        history: The history; later days are left out.
        as_of: Day number.

    Returns:
        One entry per customer with an order by then. Orders of one day count once.
    """
    seen = history.until(as_of)
    days = np.bincount(seen.customer, minlength=seen.customers)
    first = np.full(seen.customers, as_of, dtype=np.int64)
    last = np.full(seen.customers, seen.first_day, dtype=np.int64)
    np.minimum.at(first, seen.customer, seen.day)
    np.maximum.at(last, seen.customer, seen.day)
    later = seen.day > first[seen.customer]
    spent = np.bincount(seen.customer[later], weights=seen.paid[later], minlength=seen.customers)
    buyers = np.flatnonzero(days > 0)
    x = days[buyers].astype(np.float64) - 1
    return Rhythm(
        customer=buyers,
        x=x,
        t_x=(last - first)[buyers] / 7,
        T=(as_of - first)[buyers] / 7,
        mean_spend=np.where(x > 0, spent[buyers] / np.maximum(x, 1), 0.0),
    )
