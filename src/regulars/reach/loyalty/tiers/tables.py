"""What customers paid in a period, returns taken off, under the ids they have now."""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table


def spend(
    orders: Table, returns: Table, *, aliases: Mapping[str, str], as_of: date, days: int
) -> Table:
    """Sum up what every customer paid in a period.

    Args:
        orders: One row per order.
        returns: One row per returned line.
        aliases: Present customer id by an id that was merged into it.
        as_of: Last day of the period.
        days: Its days.

    Returns:
        One row per customer who bought, in order: customer_id, measured (money, 0 or more).
    """
    first = as_of - timedelta(days=days - 1)
    within = _.business_date.between(first, as_of) & _.customer_id.notnull() & (_.customer_id != "")
    paid = orders.filter(within).select("customer_id", amount=_.total.cast("decimal(38, 2)"))
    back = returns.filter(within).select("customer_id", amount=(-_.refund).cast("decimal(38, 2)"))
    moved = paid.union(back)
    names = ibis.memtable(
        pa.table({
            "node": pa.array(list(aliases), pa.string()),
            "present": pa.array(list(aliases.values()), pa.string()),
        })
    )
    moved = moved.left_join(names, moved.customer_id == names.node)
    moved = moved.select(
        customer_id=ibis.coalesce(moved.present, moved.customer_id), amount=moved.amount
    )
    zero = ibis.literal(0).cast("decimal(38, 2)")
    return (
        moved
        .group_by("customer_id")
        .agg(measured=ibis.greatest(_.amount.sum().cast("decimal(38, 2)"), zero))
        .order_by("customer_id")
    )
