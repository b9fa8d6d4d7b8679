"""What some customers paid by day, returns taken off from the day they bought."""

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table


def paid_by_day(
    orders: Table,
    returns: Table,
    customers: Sequence[str],
    *,
    aliases: Mapping[str, str],
    as_of: date,
) -> Table:
    """Sum up what some customers paid by day of order.

    Args:
        orders: One row per order.
        returns: One row per returned line; those without an order are left out.
        customers: Present customer ids.
        aliases: Present customer id by an id that was merged into it.
        as_of: Last day read.

    Returns:
        One row per customer and day in order: customer_id, business_date, paid.
    """
    asked = set(customers)
    ids = [(one, one) for one in customers]
    ids += [(node, now) for node, now in aliases.items() if now in asked and node not in asked]
    names = ibis.memtable(
        pa.table({
            "node": pa.array([node for node, _now in ids], pa.string()),
            "present": pa.array([now for _node, now in ids], pa.string()),
        })
    )
    bought = orders.filter(_.business_date <= as_of)
    bought = bought.inner_join(names, bought.customer_id == names.node)
    back = (
        returns
        .filter((_.business_date <= as_of) & _.order_id.notnull())
        .group_by(r_id=_.order_id)
        .agg(refund=_.refund.sum())
    )
    rows = bought.left_join(back, bought.order_id == back.r_id)
    zero = ibis.literal(0).cast("decimal(38, 2)")
    paid = rows.total.cast("decimal(38, 2)") - ibis.coalesce(
        rows.refund.cast("decimal(38, 2)"), zero
    )
    return (
        rows
        .mutate(paid=paid)
        .group_by(customer_id=_.present, business_date=_.business_date)
        .agg(paid=_.paid.sum().cast("decimal(38, 2)"))
        .order_by("customer_id", "business_date")
    )
