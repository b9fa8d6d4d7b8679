"""Moments of weekly shopping: the figures by which a twin is compared with its original."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Habits:
    """What a group of customers did over some weeks.

    Attributes:
        orders: Orders by week, shape (customers, weeks).
        sales: Money by week, shape (customers, weeks).
        baskets: Money of every order, shape (orders,).
        departments: Money by department, shape (departments,).
        shelf_discount: Taken off on the shelf in all.
        private_sales: Money on own brands in all.
        coupon_orders: Orders with a maker's coupon.
        weekend_orders: Orders on Saturday or Sunday.
    """

    orders: Floats
    sales: Floats
    baskets: Floats
    departments: Floats
    shelf_discount: float
    private_sales: float
    coupon_orders: float
    weekend_orders: float


def moments(habits: Habits) -> dict[str, float]:
    """Sum habits up in figures that do not depend on how many customers there are.

    Args:
        habits: What the customers did; at least one order.

    Returns:
        Value by name: money in the habits' currency, gaps in weeks, the rest counts a week or
        shares.

    Example:
        >>> one = np.array([[1.0, 0.0, 2.0]])
        >>> found = moments(Habits(one, one * 10, np.full(3, 10.0), np.ones(2), 1, 1, 1, 1))
        >>> found["weekly orders, mean"], found["weeks between weeks with an order, mean"]
        (1.0, 2.0)
    """
    orders, sales, baskets = habits.orders, habits.sales, habits.baskets
    paid = float(sales.sum())
    own_mean = orders.mean(axis=1)
    return {
        "weekly orders, mean": float(orders.mean()),
        "weekly orders, spread": float(orders.std()),
        "weekly orders, 90th percentile": float(np.quantile(orders, 0.9)),
        "weekly orders, 99th percentile": float(np.quantile(orders, 0.99)),
        "weekly orders, spread between customers": float(own_mean.std()),
        "customers with an order in a week": float((orders > 0).mean()),
        "weekly spend, mean": float(sales.mean()),
        "weekly spend, spread": float(sales.std()),
        "weekly spend, 90th percentile": float(np.quantile(sales, 0.9)),
        "weekly spend, spread between customers": float(sales.mean(axis=1).std()),
        "order, mean": float(baskets.mean()),
        "order, spread": float(baskets.std()),
        "order, median": float(np.median(baskets)),
        "order, 90th percentile": float(np.quantile(baskets, 0.9)),
        "weeks between weeks with an order, mean": _gap(orders),
        "shelf discount over full price": habits.shelf_discount / (paid + habits.shelf_discount),
        "orders with a coupon": habits.coupon_orders / len(baskets),
        "spend on own brands": habits.private_sales / paid,
        "orders at the weekend": habits.weekend_orders / len(baskets),
        "spend on the largest department": float(
            habits.departments.max() / habits.departments.sum()
        ),
    }


def _gap(orders: Floats) -> float:
    """Mean weeks from one week with an order to the customer's next."""
    customer, week = np.nonzero(orders)
    same = customer[1:] == customer[:-1]
    return float(np.diff(week)[same].mean()) if same.any() else float("nan")
