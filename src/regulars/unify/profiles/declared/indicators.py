"""The behavioural indicators, each declared once: the folds it grows from and how it finishes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.unify.profiles.declared.folds import (
    Fold,
    first_day,
    gap_squares,
    last_day,
    total,
    window,
)
from regulars.unify.profiles.declared.leanings import KEYED_LEANING_FOLDS, LEANING_FOLDS, LEANINGS
from regulars.unify.profiles.declared.parts import (
    Indicator,
    Numbers,
    Parts,
    Population,
    per_customer,
    ranked_key,
    ratio,
)
from regulars.unify.profiles.declared.visits import VISIT_FOLDS, VISITS

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
    *VISIT_FOLDS,
    *LEANING_FOLDS,
)
KEYED_FOLDS: tuple[Fold, ...] = (
    total("categories", "line_days", "sales"),
    total("stores", "store_days", "orders"),
    total("hours", "hour_days", "orders"),
    *KEYED_LEANING_FOLDS,
)


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
    total = per_customer(keyed, amount, len(parts.joined_day))
    parted = per_customer(keyed, amount * np.log2(amount), len(parts.joined_day))
    return np.maximum(np.log2(np.where(total > 0, total, np.nan)) - ratio(parted, total), 0.0)


def favourite_hour(parts: Parts) -> Numbers:
    """Local hour with most orders; ties go to the earlier."""
    keys = ranked_key(parts, "hours", 0)
    return np.array([np.nan if key is None else float(key) for key in keys])


def evening_share(parts: Parts) -> Numbers:
    """Share of orders from 17:00 on, local time."""
    keyed = parts.keyed["hours"]
    late = np.array([hour >= EVENING_HOUR for hour in keyed.names], dtype=bool)
    amount = keyed.amount * late[keyed.key] if keyed.names else keyed.amount
    return ratio(per_customer(keyed, amount, len(parts.joined_day)), parts["orders"])


def store_loyalty(parts: Parts) -> Numbers:
    """Share of orders in the most visited store."""
    keyed = parts.keyed["stores"]
    most = np.zeros(len(parts.joined_day))
    np.maximum.at(most, keyed.customer, keyed.amount)
    return ratio(most, per_customer(keyed, keyed.amount, len(most)))


def margin_rate(parts: Parts) -> Numbers:
    """Margin over sales, own history pulled to the retailer's mean.

    Args:
        parts: What the folds gave.

    Returns:
        Rates, -1 to 1, shape (customers,). Where cost is unknown the workspace's margin rate
        stands in. A quarter of what the mean buyer has spent counts as prior evidence, so that
        one cheap basket moves it little.
    """
    margin, all_of_them = _margin(parts), parts.population or population_of(parts)
    mean, prior = all_of_them.mean_margin, all_of_them.prior_spend
    if mean is None:
        return np.full_like(margin, parts.margin_rate)
    return np.clip((margin + prior * mean) / (parts["sales"] + prior), -1.0, 1.0)


def population_of(parts: Parts) -> Population:
    """Tell what holds for all customers together.

    Args:
        parts: What the folds gave, for every customer there is.

    Returns:
        What a customer looked at alone is set against.
    """
    total = float(parts["sales"].sum())
    if total <= 0:
        return Population(parts.history_day, None, 0.0)
    buyers = max(int((parts["sales"] > 0).sum()), 1)
    mean = float(_margin(parts).sum()) / total
    return Population(parts.history_day, mean, PRIOR_SPEND_SHARE * total / buyers)


def _margin(parts: Parts) -> Numbers:
    known = parts["costed_sales"] - parts["cost"] / 1000
    return known + (parts["sales"] - parts["costed_sales"]) * parts.margin_rate


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
    Indicator("favourite_store", lambda p: ranked_key(p, "stores", 0)),
    Indicator("margin_rate", margin_rate),
    Indicator("contacts_28d", lambda p: p["contacts_28d"]),
    Indicator("contacts_7d", lambda p: p["contacts_7d"]),
    Indicator("contacts_ever", lambda p: p["contacts_ever"]),
    Indicator("engaged_share", lambda p: ratio(p["engaged"], p["contacts_ever"])),
    *VISITS,
)


def finish(parts: Parts) -> dict[str, NDArray[Any]]:
    """Finish every indicator and every leaning.

    Args:
        parts: What the folds gave.

    Returns:
        Values by name, shape (customers,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return {each.name: each.finish(parts) for each in (*INDICATORS, *LEANINGS)}
