"""The definitions the value models read: orders by customer and day, customers known."""

from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.numerics.days import EPOCH

_EPOCH = ibis.date(EPOCH.year, EPOCH.month, EPOCH.day)


def order_days(orders: Table, *, until: date) -> Table:
    """Sum up the orders of each customer and day.

    Args:
        orders: Fact table.
        until: Last day read.

    Returns:
        One row per customer and day with an order, in no fixed order: customer_id, day (days
        since 1970-01-01), orders, paid (in hundredths, whole numbers: they add up the same in
        any order).
    """
    paid = (_.total.cast("float64") * 100).round().cast("int64")
    seen = orders.filter(orders.business_date <= until)
    return seen.group_by("customer_id", "business_date").agg(
        day=_.business_date.delta(_EPOCH, unit="day").max(),
        orders=_.count(),
        paid=paid.sum().cast("int64"),
    )


def customers_known(customers: Table, *, until: date) -> Table:
    """Choose the customers known as of a day.

    Args:
        customers: Fact table; without `joined_on` a customer counts as known.
        until: The day.

    Returns:
        One row per customer, in order of customer_id: customer_id, joined_day (days since
        1970-01-01, empty where unknown).
    """
    known = customers.filter(customers.joined_on.isnull() | (customers.joined_on <= until))
    return known.select("customer_id", joined_day=_.joined_on.delta(_EPOCH, unit="day")).order_by(
        "customer_id"
    )


def profiles_of_turn(profiles: Table, customers: Table, turn: int) -> Table:
    """Choose what value needs of the profiles of a turn.

    Args:
        profiles: One row per customer and turn.
        customers: Fact table.
        turn: The turn.

    Returns:
        One row per customer with a profile, in order of customer_id: customer_id, margin_rate,
        joined_day (days since 1970-01-01, empty where unknown).
    """
    joined = customers.select("customer_id", joined_day=_.joined_on.delta(_EPOCH, unit="day"))
    mine = profiles.filter(profiles.turn == turn).select("customer_id", "margin_rate")
    return (
        mine
        .left_join(joined, "customer_id")
        .select("customer_id", "margin_rate", "joined_day")
        .order_by("customer_id")
    )
