"""The definitions the value models read: orders by customer and day, customers known."""

from datetime import date
from typing import Any

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.errors import InputError
from regulars.numerics.arrays import numbers
from regulars.numerics.days import EPOCH
from regulars.understand.value.models.histories import OrderHistories, group_histories

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


def order_histories(days: Table, *, until: int) -> Table:
    """Count customers of one order history together, in the engine.

    Args:
        days: One row per customer and day with an order: customer_id, day (a whole number of
            days since any day); several rows of one day count once.
        until: Last day number read.

    Returns:
        One row per history, in ascending order: x (order days after the first), t_x_days (days
        from the first to the last), T_days (days from the first to `until`), customers.
    """
    seen = days.filter(days.day <= until).group_by("customer_id")
    each = seen.agg(x=_.day.nunique() - 1, first=_.day.min(), last=_.day.max())
    histories = each.group_by(x=_.x, t_x_days=_.last - _.first, T_days=until - _.first)
    return histories.agg(customers=_.count()).order_by("x", "T_days", "t_x_days")


def count_histories(days: Any, *, until: int, unit_days: float = 7.0) -> OrderHistories:
    """Count customers of one order history together; a million orders become few rows.

    Args:
        days: One row per customer and day with an order, columns customer_id and day (a whole
            number of days since any day), as an Ibis table, a pandas frame, an Arrow table or
            a mapping of columns. An Ibis table is counted where its data are.
        until: Last day number read.
        unit_days: Days that count as 1 in the fit; 7 for weeks.

    Returns:
        What `fit_bg_nbd`, `fit_mbg_nbd` and `fit_pareto_nbd` take.

    Raises:
        InputError: There is no order by then.

    Example:
        >>> days = {"customer_id": ["a", "a", "b"], "day": [1, 15, 1]}
        >>> counted = count_histories(days, until=29)
        >>> counted.x.tolist(), counted.t_x.tolist(), counted.T.tolist()
        ([0.0, 1.0], [0.0, 2.0], [4.0, 4.0])
    """
    table = days if isinstance(days, Table) else ibis.memtable(days)
    counted = order_histories(table, until=until).to_pyarrow()
    if not counted.num_rows:
        raise InputError(f"there is no order up to day {until}; give a later `until`, or orders")
    return group_histories(
        numbers(counted, "x"),
        numbers(counted, "t_x_days") / unit_days,
        numbers(counted, "T_days") / unit_days,
        numbers(counted, "customers"),
    )
