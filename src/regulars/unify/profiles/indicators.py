"""The behavioural indicators, each declared once: the folds it grows from and how it finishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.unify.profiles.folds import Fold, first_day, gap_squares, last_day, total, window

Numbers = NDArray[np.float64]

EVENING_HOUR = 17
PRIOR_SPEND_SHARE = 0.25

FOLDS: tuple[Fold, ...] = (
    first_day("first_day", "order_days"),
    last_day("last_day", "order_days"),
    gap_squares("gap_squares", "order_days"),
    total("order_days", "order_days", "order_day"),
    total("orders", "order_days", "orders"),
    total("paid", "order_days", "paid"),
    total("weekend_orders", "order_days", "weekend_orders"),
    total("coupon_orders", "order_days", "coupon_orders"),
    window("orders_30d", "order_days", "orders", 0, 30),
    window("orders_30_60d", "order_days", "orders", 30, 60),
    window("orders_90d", "order_days", "orders", 0, 90),
    window("orders_90_180d", "order_days", "orders", 90, 180),
    window("paid_30d", "order_days", "paid", 0, 30),
    window("paid_90d", "order_days", "paid", 0, 90),
    total("sales", "line_days", "sales"),
    total("discounts", "line_days", "discounts"),
    total("labelled_sales", "line_days", "labelled_sales"),
    total("private_sales", "line_days", "private_sales"),
    total("costed_sales", "line_days", "costed_sales"),
    total("cost", "line_days", "cost"),
    total("contacts_ever", "contact_days", "contacts"),
    window("contacts_28d", "contact_days", "contacts", 0, 28),
    window("contacts_7d", "contact_days", "contacts", 0, 7),
    total("engaged", "contact_days", "engaged"),
)
KEYED_FOLDS: tuple[Fold, ...] = (
    total("categories", "line_days", "sales"),
    total("stores", "store_days", "orders"),
    total("hours", "hour_days", "orders"),
)


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
class Parts:
    """What the folds gave for all customers, ready to finish.

    Attributes:
        as_of: Day number looked from.
        joined_day: Day number of joining, nan where unknown, shape (customers,).
        history_day: First day number of the retailer's orders; `as_of` when there are none.
        margin_rate: Margin over sales where cost is unknown.
        number: Value per fold, shape (customers,).
        keyed: Amounts per keyed fold.
    """

    as_of: int
    joined_day: Numbers
    history_day: int
    margin_rate: float
    number: Mapping[str, Numbers]
    keyed: Mapping[str, Keyed]

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


def days_known(parts: Parts) -> Numbers:
    """Days since the first order; before one, since joining, or 0 where that is unknown."""
    joined = np.nan_to_num(parts.as_of - parts.joined_day, nan=0.0)
    return np.where(parts["orders"] > 0, parts.as_of - parts["first_day"], joined)


def recency_days(parts: Parts) -> Numbers:
    """Days since the last order; before one, the longest silence there can have been.

    Args:
        parts: What the folds gave.

    Returns:
        Days, shape (customers,). A customer without an order has been silent since joining,
        or, where that is unknown, since the retailer's first order.
    """
    joined = np.where(np.isnan(parts.joined_day), parts.history_day, parts.joined_day)
    return np.where(parts["orders"] > 0, parts.as_of - parts["last_day"], parts.as_of - joined)


def weekly_orders(parts: Parts) -> Numbers:
    """Orders a week since the first order, which counts as a week at least."""
    days = np.maximum(parts.as_of - parts["first_day"] + 1, 7)
    return np.where(parts["orders"] > 0, parts["orders"] * 7 / days, 0.0)


def gap_mean_days(parts: Parts) -> Numbers:
    """Mean days between order days; empty before the second."""
    return ratio(parts["last_day"] - parts["first_day"], parts["order_days"] - 1)


def gap_sd_days(parts: Parts) -> Numbers:
    """Standard deviation of the days between order days; empty before the third."""
    gaps = parts["order_days"] - 1
    total = parts["last_day"] - parts["first_day"]
    spread = gaps * parts["gap_squares"] - total**2
    return np.sqrt(ratio(np.maximum(spread, 0.0), gaps * (gaps - 1)))


def trend(parts: Parts, recent: str, before: str) -> Numbers:
    """Orders of a window over those of the one before, 1 added to each; empty before any."""
    smoothed = (parts[recent] + 1) / (parts[before] + 1)
    return np.where(parts["orders"] > 0, smoothed, np.nan)


def category_entropy(parts: Parts) -> Numbers:
    """Shannon entropy of spend over categories, in bits: 0 when all is in one."""
    keyed = parts.keyed["categories"]
    amount = keyed.amount.astype(np.float64)
    total = _per_customer(keyed, amount, len(parts.joined_day))
    parted = _per_customer(keyed, amount * np.log2(amount), len(parts.joined_day))
    return np.maximum(np.log2(np.where(total > 0, total, np.nan)) - ratio(parted, total), 0.0)


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


def favourite_hour(parts: Parts) -> Numbers:
    """Local hour with most orders; ties go to the earlier."""
    keys = ranked_key(parts, "hours", 0)
    return np.array([np.nan if key is None else float(key) for key in keys])


def evening_share(parts: Parts) -> Numbers:
    """Share of orders from 17:00 on, local time."""
    keyed = parts.keyed["hours"]
    late = np.array([hour >= EVENING_HOUR for hour in keyed.names], dtype=bool)
    amount = keyed.amount * late[keyed.key] if keyed.names else keyed.amount
    return ratio(_per_customer(keyed, amount, len(parts.joined_day)), parts["orders"])


def store_loyalty(parts: Parts) -> Numbers:
    """Share of orders in the most visited store."""
    keyed = parts.keyed["stores"]
    most = np.zeros(len(parts.joined_day))
    np.maximum.at(most, keyed.customer, keyed.amount)
    return ratio(most, _per_customer(keyed, keyed.amount, len(most)))


def margin_rate(parts: Parts) -> Numbers:
    """Margin over sales, own history pulled to the retailer's mean.

    Args:
        parts: What the folds gave.

    Returns:
        Rates, -1 to 1, shape (customers,). Where cost is unknown the workspace's margin rate
        stands in. A quarter of what the mean buyer has spent counts as prior evidence, so that
        one cheap basket moves it little.
    """
    known = parts["costed_sales"] - parts["cost"] / 1000
    margin = known + (parts["sales"] - parts["costed_sales"]) * parts.margin_rate
    total = float(parts["sales"].sum())
    if total <= 0:
        return np.full_like(margin, parts.margin_rate)
    mean = float(margin.sum()) / total
    prior = PRIOR_SPEND_SHARE * total / max(int((parts["sales"] > 0).sum()), 1)
    return np.clip((margin + prior * mean) / (parts["sales"] + prior), -1.0, 1.0)


def _per_customer(keyed: Keyed, values: NDArray[Any], customers: int) -> Numbers:
    """Add up in the order of the rows, which is fixed: the same bytes every time."""
    return np.bincount(keyed.customer, weights=values, minlength=customers).astype(np.float64)


INDICATORS: tuple[Indicator, ...] = (
    Indicator("days_known", days_known),
    Indicator("recency_days", recency_days),
    Indicator("orders", lambda p: p["orders"]),
    Indicator("orders_30d", lambda p: p["orders_30d"]),
    Indicator("orders_90d", lambda p: p["orders_90d"]),
    Indicator("monetary", lambda p: p["paid"] / 100),
    Indicator("monetary_30d", lambda p: p["paid_30d"] / 100),
    Indicator("monetary_90d", lambda p: p["paid_90d"] / 100),
    Indicator("basket_size", lambda p: ratio(p["paid"] / 100, p["orders"])),
    Indicator("weekly_orders", weekly_orders),
    Indicator("gap_mean_days", gap_mean_days),
    Indicator("gap_sd_days", gap_sd_days),
    Indicator("trend_30d", lambda p: trend(p, "orders_30d", "orders_30_60d")),
    Indicator("trend_90d", lambda p: trend(p, "orders_90d", "orders_90_180d")),
    Indicator("category_entropy", category_entropy),
    Indicator("favourite_category", lambda p: ranked_key(p, "categories", 0)),
    Indicator("second_category", lambda p: ranked_key(p, "categories", 1)),
    Indicator("discount_share", lambda p: ratio(p["discounts"], p["sales"] + p["discounts"])),
    Indicator("coupon_share", lambda p: ratio(p["coupon_orders"], p["orders"])),
    Indicator("private_label_share", lambda p: ratio(p["private_sales"], p["labelled_sales"])),
    Indicator("weekend_share", lambda p: ratio(p["weekend_orders"], p["orders"])),
    Indicator("evening_share", evening_share),
    Indicator("favourite_hour", favourite_hour),
    Indicator("store_loyalty", store_loyalty),
    Indicator("margin_rate", margin_rate),
    Indicator("contacts_28d", lambda p: p["contacts_28d"]),
    Indicator("contacts_7d", lambda p: p["contacts_7d"]),
    Indicator("contacts_ever", lambda p: p["contacts_ever"]),
    Indicator("engaged_share", lambda p: ratio(p["engaged"], p["contacts_ever"])),
)


def finish(parts: Parts) -> dict[str, NDArray[Any]]:
    """Finish every indicator.

    Args:
        parts: What the folds gave.

    Returns:
        Values by indicator, shape (customers,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return {indicator.name: indicator.finish(parts) for indicator in INDICATORS}
