"""What each order should have earned by, set against what it did, as definitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

from regulars.reach.loyalty.programme.definition import Programme

_MULTIPLIER, _WEIGHTED = pa.decimal128(12, 4), pa.decimal128(38, 6)
POSTED = pa.schema([
    pa.field("order_id", pa.string()),
    pa.field("business_date", pa.date32()),
    pa.field("version", pa.int64()),
    pa.field("weighted", _WEIGHTED),
])


@dataclass(frozen=True)
class Facts:
    """The facts points are earned by.

    Attributes:
        orders: One row per order.
        order_lines: One row per line.
        returns: One row per returned line.
        products: One row per product.
    """

    orders: Table
    order_lines: Table
    returns: Table
    products: Table


def weighted_orders(
    facts: Facts,
    versions: Mapping[int, Programme],
    posted: pa.Table,
    *,
    current: int,
    as_of: date,
) -> Table:
    """Weigh every order by the version of the programme it earned under.

    Args:
        facts: The facts.
        versions: Every version of the programme by number.
        posted: Orders that earned already (`POSTED`).
        current: The version new orders earn under.
        as_of: Last day read.

    Returns:
        One row per order: order_id, customer_id, business_date, ordered_at, version, weighted
        (paid and not returned, each line times its multiplier, 0 or more), was (the same as
        posted, null when new). Orders without a customer are left out.
    """
    before = ibis.memtable(posted).select(p_id=_.order_id, p_version=_.version, was=_.weighted)
    known = facts.orders.filter(_.customer_id.notnull() & (_.customer_id != ""))
    known = known.filter(_.business_date <= as_of)
    known = known.left_join(before, known.order_id == before.p_id)
    starts_on = versions[current].starts_on
    orders = known.filter(_.p_id.notnull() | (_.business_date >= starts_on)).select(
        "order_id",
        "customer_id",
        "business_date",
        "ordered_at",
        "total",
        version=ibis.coalesce(_.p_version, ibis.literal(current)),
        was=_.was,
    )
    weights = product_weights(facts.products, versions)
    returns = facts.returns.filter(_.business_date <= as_of)
    bought = _weighed(facts.order_lines, "sales", orders, weights, "bought")
    back = _weighed(returns, "refund", orders, weights, "back")
    rows = orders.left_join(bought, "order_id").drop("order_id_right")
    rows = rows.left_join(back, "order_id").drop("order_id_right")
    zero = ibis.literal(0).cast("decimal(38, 6)")
    paid = ibis.coalesce(rows.bought, rows.total.cast("decimal(38, 6)"))
    weighted = ibis.greatest(paid - ibis.coalesce(rows.back, zero), zero).cast("decimal(38, 6)")
    return rows.mutate(weighted=weighted).drop("bought", "back", "total")


def changed_orders(
    facts: Facts,
    versions: Mapping[int, Programme],
    posted: pa.Table,
    *,
    current: int,
    as_of: date,
) -> Table:
    """Keep the orders that are new, changed, or gone since they earned.

    Args:
        facts: The facts.
        versions: Every version of the programme by number.
        posted: Orders that earned already.
        current: The version new orders earn under.
        as_of: Last day read.

    Returns:
        Rows as of `weighted_orders`, the oldest first; a cancelled order has weight 0, and no
        customer or moment.
    """
    rows = weighted_orders(facts, versions, posted, current=current, as_of=as_of)
    moved = rows.filter(_.was.isnull() | (_.weighted != _.was))
    before = ibis.memtable(posted).filter((_.business_date <= as_of) & (_.weighted != 0))
    gone = before.anti_join(rows, "order_id").select(
        order_id=_.order_id,
        customer_id=ibis.literal("").cast("string"),
        business_date=_.business_date,
        ordered_at=ibis.null().cast(rows.schema()["ordered_at"]),
        version=_.version,
        was=_.weighted,
        weighted=ibis.literal(0).cast("decimal(38, 6)"),
    )
    return moved.select(gone.columns).union(gone).order_by("business_date", "order_id")


def product_weights(products: Table, versions: Mapping[int, Programme]) -> Table:
    """Give the multiplier of every product under every version.

    Args:
        products: One row per product.
        versions: Every version of the programme by number.

    Returns:
        One row per product and version: product_id, version, multiplier; products of no named
        category are left out.
    """
    named = [
        (number, name, multiplier)
        for number, one in sorted(versions.items())
        for name, multiplier in sorted(one.earning.multiplier_by_category.items())
    ]
    rates = ibis.memtable(
        pa.table({
            "version": pa.array([row[0] for row in named], pa.int64()),
            "name": pa.array([row[1] for row in named], pa.string()),
            "multiplier": pa.array([row[2] for row in named], pa.decimal128(38, 4)).cast(
                _MULTIPLIER
            ),
        })
    )
    found = products.cross_join(rates.select("version").distinct())
    for column in ("product_type", "category", "department"):
        here = rates.select(**{
            f"{column}_of": _.version,
            f"{column}_named": _.name,
            f"{column}_rate": _.multiplier,
        })
        found = found.left_join(
            here,
            (found.version == here[f"{column}_of"]) & (found[column] == here[f"{column}_named"]),
        ).drop(f"{column}_of", f"{column}_named")
    rate = ibis.coalesce(found.product_type_rate, found.category_rate, found.department_rate)
    return found.select("product_id", "version", multiplier=rate).filter(_.multiplier.notnull())


def _weighed(lines: Table, amount: str, orders: Table, weights: Table, name: str) -> Table:
    """Sum the lines of each order, each times its multiplier."""
    asked = orders.select(o_id=orders.order_id, version=orders.version)
    mine = lines.inner_join(asked, lines.order_id == asked.o_id)
    rates = weights.select(w_id=_.product_id, w_version=_.version, multiplier=_.multiplier)
    mine = mine.left_join(
        rates, (mine.product_id == rates.w_id) & (mine.version == rates.w_version)
    )
    # Both sides of one type, wide enough for the product to be exact.
    one = ibis.literal(1).cast("decimal(38, 4)")
    rate = ibis.coalesce(mine.multiplier.cast("decimal(38, 4)"), one)
    each = mine[amount].cast("decimal(38, 4)") * rate
    weighed = mine.mutate(each=each.cast("decimal(38, 6)"))
    return weighed.group_by("order_id").agg(**{name: _.each.sum().cast("decimal(38, 6)")})
