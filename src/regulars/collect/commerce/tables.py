"""The current state of orders, lines, returns, redemptions and visits, over files and messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.collect.commerce.presences import GAP

_RANK = {"placed": 0, "updated": 1, "cancelled": 2}


@dataclass(frozen=True)
class CurrentView:
    """How a table is read when messages add to what files brought.

    Attributes:
        tables: Tables it is made of; as long as those after the first are empty, it is the first.
        define: The definition, from those tables by name.
    """

    tables: tuple[str, ...]
    define: Callable[[Mapping[str, Table]], Table]


def current_versions(versions: Table) -> Table:
    """Choose the version of each order that counts now, cancelled ones included.

    A version declared an error does not count. The newest by its own moment counts, whatever
    order messages arrived in; at the same moment a cancellation wins over an update over the
    placing. An order was placed at the earliest moment any counting version says, and belongs
    to the customer with a login id any of them names.

    Args:
        versions: The table `order_versions`.

    Returns:
        One row per order that any version speaks of (refunds aside).
    """
    told = _alive(versions).filter(_.status.isin(list(_RANK)))
    told = told.mutate(rank=_.status.cases(*_RANK.items(), else_=0))
    newest = ibis.window(
        group_by="order_id",
        order_by=[ibis.desc("changed_at"), ibis.desc("rank"), ibis.desc("version_id")],
    )
    ranked = told.mutate(place=ibis.row_number().over(newest))
    bought = _.status != "cancelled"
    whole = told.group_by("order_id").agg(
        first_at=_.ordered_at.min(where=bought),
        first_day=_.business_date.min(where=bought),
        login=_.customer_id.min(where=bought & ~_.customer_id.startswith("c_")),
    )
    chosen = ranked.filter(_.place == 0).inner_join(whole, "order_id")
    return chosen.mutate(
        customer_id=ibis.coalesce(_.login, _.customer_id),
        ordered_at=ibis.coalesce(_.first_at, _.ordered_at),
        business_date=ibis.coalesce(_.first_day, _.business_date),
    ).drop("place", "rank", "login", "first_at", "first_day")


def current_orders(tables: Mapping[str, Table]) -> Table:
    """Give every order as it stands: messages win over files, cancelled orders are left out.

    Args:
        tables: `orders` of files and `order_versions`.

    Returns:
        One row per order, columns of `orders`.
    """
    files, current = tables["orders"], current_versions(tables["order_versions"])
    standing = current.filter(_.status != "cancelled").select(files.columns)
    return _without(files, current).union(standing)


def current_lines(tables: Mapping[str, Table]) -> Table:
    """Give the lines of every order as it stands.

    Args:
        tables: `order_lines` of files, `order_versions` and `order_version_lines`.

    Returns:
        One row per line, columns of `order_lines`.
    """
    files, current = tables["order_lines"], current_versions(tables["order_versions"])
    standing = current.select("version_id", "customer_id", "business_date")
    lines = tables["order_version_lines"].drop("customer_id").inner_join(standing, "version_id")
    return _without(files, current).union(lines.rename(sales="amount").select(files.columns))


def current_returns(tables: Mapping[str, Table]) -> Table:
    """Give every returned line, also those of refunds that name no line.

    Args:
        tables: `returns` and `order_lines` of files, `order_versions`, `order_version_lines`.

    Returns:
        One row per returned line, columns of `returns`.
    """
    files, versions = tables["returns"], tables["order_versions"]
    refunds = _alive(versions).filter(_.status == "refunded")
    bought = current_versions(versions).select("order_id", buyer="customer_id")
    refunds = refunds.left_join(bought, "order_id").drop("order_id_right")
    refunds = refunds.mutate(customer_id=ibis.coalesce(_.buyer, _.customer_id))
    refunds = refunds.select("version_id", "order_id", "customer_id", "business_date", "total")
    returned = tables["order_version_lines"].drop("customer_id", "order_id")
    named = refunds.inner_join(returned, "version_id")
    whole = refunds.anti_join(returned, "version_id")
    found = named.rename(return_id="line_id", refund="amount").select(files.columns)
    found = found.union(_returned_in_full(whole, current_lines(tables)).select(files.columns))
    return files.anti_join(found, "return_id").union(found)


def _returned_in_full(refunds: Table, lines: Table) -> Table:
    """Spread a refund of a whole order over its lines; the rule of `amounts.spread`."""
    bought = lines.select("order_id", "line_id", "product_id", "quantity", paid=_cents(lines.sales))
    rows = refunds.inner_join(bought, "order_id")
    until = ibis.window(group_by="version_id", order_by="line_id", preceding=None, following=0)
    every = ibis.window(group_by="version_id")
    rows = rows.mutate(
        until=_.paid.sum().over(until).cast("int64"), whole=_.paid.sum().over(every).cast("int64")
    )
    back = ibis.coalesce(_cents(rows.total), rows.whole)
    rows = rows.mutate(back=back, before=rows.until - rows.paid)
    after = _share(_.back, _.until, _.whole)
    refund = (after - _share(_.back, _.before, _.whole)).cast("decimal(18, 0)")
    return rows.mutate(
        return_id=_.version_id + "-" + _.line_id,
        refund=(refund / 100).round(2).cast("decimal(18, 2)"),
    )


def _share(back: ibis.Deferred, part: ibis.Deferred, whole: ibis.Deferred) -> ibis.Deferred:
    return ((2 * back * part + whole) // ibis.greatest(2 * whole, 1)).cast("int64")


def current_redemptions(tables: Mapping[str, Table]) -> Table:
    """Give every redeemed coupon, also those of orders told by messages.

    Args:
        tables: `redemptions` of files and `order_versions`.

    Returns:
        One row per redemption, columns of `redemptions`.
    """
    files = tables["redemptions"]
    used = current_versions(tables["order_versions"]).filter(
        (_.status != "cancelled") & _.coupon_id.notnull()
    )
    used = used.mutate(
        redemption_id=_.order_id,
        campaign_id=ibis.null("string"),
        redeemed_on=_.business_date,
        amount=_.discount,
    ).select(files.columns)
    return files.union(used.anti_join(files, ["order_id", "coupon_id"]))


def current_visits(tables: Mapping[str, Table]) -> Table:
    """Join stretches of presence that follow within the gap into visits.

    Args:
        tables: `visits` of files and `presences`.

    Returns:
        One row per visit, columns of `visits`.
    """
    files, presences = tables["visits"], tables["presences"]
    who = ["customer_id", "kind", "store_id", "source"]
    before = ibis.window(
        group_by=who,
        order_by=["started_at", "ended_at", "presence_id"],
        preceding=(None, 1),
    )
    until = ibis.window(
        group_by=who,
        order_by=["started_at", "ended_at", "presence_id"],
        preceding=None,
        following=0,
    )
    gone = presences.mutate(last=_.ended_at.max().over(before))
    silence = gone.started_at.epoch_seconds() - gone["last"].epoch_seconds()
    is_new = gone.customer_id.isnull() | gone["last"].isnull()
    is_new |= silence > int(GAP.total_seconds())
    numbered = gone.mutate(is_new=is_new.cast("int64"))
    numbered = numbered.mutate(number=_.is_new.sum().over(until))
    visits = numbered.group_by(*who, "number").agg(
        visit_id=_.presence_id.min(),
        started_at=_.started_at.min(),
        ended_at=_.ended_at.max(),
        business_date=_.business_date.min(),
        visitors=_.visitors.max(),
    )
    return files.union(visits.select(files.columns))


def _alive(versions: Table) -> Table:
    gone = versions.filter(_.status == "voided").select(version_id="voids")
    return versions.filter(_.status != "voided").anti_join(gone, "version_id")


def _without(files: Table, current: Table) -> Table:
    return files.anti_join(current, "order_id")


def _cents(money: ibis.Value) -> ibis.Value:
    return (money.cast("float64") * 100).round().cast("int64")


VIEWS = {
    "orders": CurrentView(("orders", "order_versions"), current_orders),
    "order_lines": CurrentView(
        ("order_lines", "order_versions", "order_version_lines"), current_lines
    ),
    "returns": CurrentView(
        ("returns", "order_versions", "order_version_lines", "order_lines"), current_returns
    ),
    "redemptions": CurrentView(("redemptions", "order_versions"), current_redemptions),
    "visits": CurrentView(("visits", "presences"), current_visits),
}
