"""The points past orders would have earned under two programmes, by month, as one definition."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

from regulars.reach.loyalty.earning.tables import POSTED, Facts, weighted_orders
from regulars.reach.loyalty.programme.definition import Programme


def points_by_month(
    facts: Facts,
    programme: Programme,
    multipliers: Mapping[str, Decimal],
    *,
    first: date,
    as_of: date,
) -> Table:
    """Give what a programme would have earned customers.

    Args:
        facts: The facts.
        programme: Its rules; its first day is left aside.
        multipliers: That of a customer's tier, for those who have one.
        first: First day of orders.
        as_of: Last one.

    Returns:
        One row per month in order: month (YYYY-MM), orders, customers, points.
    """
    none = pa.table({name: [] for name in POSTED.names}, schema=POSTED)
    facts = Facts(
        facts.orders.filter(_.business_date >= first),
        facts.order_lines,
        facts.returns,
        facts.products,
    )
    dated = {1: replace(programme, starts_on=first)}
    rows = weighted_orders(facts, dated, none, current=1, as_of=as_of)
    rates = ibis.memtable(
        pa.table({
            "member": pa.array(list(multipliers), pa.string()),
            "multiplier": pa.array(list(multipliers.values()), pa.decimal128(12, 4)),
        })
    )
    rows = rows.left_join(rates, rows.customer_id == rates.member)
    one = ibis.literal(1).cast("decimal(38, 4)")
    # Each order is rounded down once, as it is when it earns.
    rate = ibis.coalesce(rows.multiplier.cast("decimal(38, 4)"), one) * ibis.literal(
        programme.earning.per_unit
    ).cast("decimal(38, 4)")
    earned = (rows.weighted.cast("decimal(38, 8)") * rate.cast("decimal(38, 8)")).floor()
    return (
        rows
        .mutate(month=rows.business_date.strftime("%Y-%m"), earned=earned.cast("int64"))
        .group_by("month")
        .agg(orders=_.count(), customers=_.customer_id.nunique(), points=_.earned.sum())
        .order_by("month")
    )
