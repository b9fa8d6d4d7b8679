"""What the lake says of each source: what became of its events, when they came, how files fit."""

from datetime import datetime

import ibis
from ibis import _
from ibis.expr.types import Table as Definition


def fates_by_source(receipts: Definition) -> Definition:
    """Add up the ledger.

    Returns:
        One row per source, by source: source, received, stored, duplicate, quarantined,
        suppressed.
    """
    names = ("received", "stored", "duplicate", "quarantined", "suppressed")
    sums = {name: receipts[name].sum().cast("int64") for name in names}
    return receipts.group_by("source").agg(**sums).order_by("source")


def arrivals(events: Definition, *, since: datetime) -> Definition:
    """Find how often something came from each source.

    Args:
        events: The table.
        since: Moment from which arrivals count, aware.

    Returns:
        One row per source, by source: source, last_at, events, gap_seconds (95 of 100 gaps
        between minutes in which something came are no longer; empty below two gaps).
    """
    recent = events.filter(_.received_at >= since)
    minutes = recent.select("source", minute=_.received_at.epoch_seconds() // 60).distinct()
    before = _.minute.lag().over(ibis.window(group_by="source", order_by="minute"))
    gaps = minutes.mutate(gap=_.minute - before)
    usual = gaps.group_by("source").agg(
        gap_seconds=ibis.ifelse(_.gap.count() >= 2, _.gap.quantile(0.95) * 60.0, None)
    )
    last = recent.group_by("source").agg(last_at=_.received_at.max(), events=_.count())
    return last.inner_join(usual, "source").order_by("source")


def files_by_table(imports: Definition) -> Definition:
    """Add up the imports of files.

    Returns:
        One row per table files fed, by table: table, files, received, stored, duplicate,
        quarantined, empty_share (of optional cells, weighted by rows), last_day, gap_days
        (median between the last days of files; empty below two gaps).
    """
    days = imports.filter(_.last_day.notnull()).select("table", "last_day").distinct()
    before = _.last_day.lag().over(ibis.window(group_by="table", order_by="last_day"))
    gaps = days.mutate(gap=_.last_day.delta(before, unit="day"))
    usual = gaps.group_by("table").agg(
        gap_days=ibis.ifelse(_.gap.count() >= 2, _.gap.quantile(0.5).cast("float64"), None)
    )
    weighted = (imports.empty_share * imports.received).round(0).cast("int64")
    found = (
        imports
        .mutate(weighted=weighted)
        .group_by("table")
        .agg(
            files=_.import_id.nunique(),
            received=_.received.sum().cast("int64"),
            stored=_.stored.sum().cast("int64"),
            duplicate=_.duplicate.sum().cast("int64"),
            quarantined=_.quarantined.sum().cast("int64"),
            empty=_.weighted.sum().cast("int64"),
            last_day=_.last_day.max(),
        )
    )
    return found.left_join(usual, "table").drop("table_right").order_by("table")


def reconciled_orders(
    orders: Definition, order_lines: Definition, order_versions: Definition
) -> Definition:
    """Compare the totals of orders from files with the sum of their lines.

    Orders told by messages are left out: shipping and tax stand in their totals.

    Returns:
        One row: orders (with lines), agreeing (to the cent).
    """
    paid = order_lines.group_by("order_id").agg(lines=_.sales.sum())
    both = orders.anti_join(order_versions, "order_id").inner_join(paid, "order_id")
    return both.agg(
        orders=_.count(),
        agreeing=ibis.coalesce((_.total == _.lines).cast("int64").sum(), 0).cast("int64"),
    )
