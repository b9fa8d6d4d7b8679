"""Tables attribution rests on: pages that name a click, orders of some customers, their money."""

from collections.abc import Collection
from datetime import date, datetime

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.collect.anomalies.exclusion import without_marked_orders
from regulars.reach.links.creator_marks import PARAMETER

_MARK = rf"{PARAMETER}=([a-p]{{20}})"


def pages_naming_clicks(events: Definition, *, since: date) -> Definition:
    """Keep the events that came from a page whose address names a click.

    Args:
        events: The table `events`.
        since: First day that counts.

    Returns:
        Unmarked events: user_id, anonymous_id, at, mark.
    """
    named = events.filter(
        events.marks.isnull()
        & (events.business_date >= since)
        & events.payload.contains(f"{PARAMETER}=")
    )
    found = named.select(
        user_id=named.user_id.nullif(""),
        anonymous_id=named.user_id.nullif("").isnull().ifelse(named.anonymous_id, None),
        at=named.occurred_at,
        mark=named.payload.re_extract(_MARK, 1),
    )
    return found.filter(found.mark != "").order_by("at", "mark", "user_id", "anonymous_id")


def codes_on_orders(redemptions: Definition, codes: Collection[str]) -> Definition:
    """Find orders told with a code, by a file or a message.

    Args:
        redemptions: The fact.
        codes: Codes as kept: capital letters and digits.

    Returns:
        order_id and code, each pair once.
    """
    bare = redemptions.coupon_id.upper().re_replace("[^A-Z0-9]", "")
    told = redemptions.filter(redemptions.order_id.notnull())
    told = told.select("order_id", code=bare)
    return told.filter(told.code.isin(sorted(codes))).distinct().order_by("order_id", "code")


def orders_of(
    orders: Definition,
    marked_orders: Definition,
    *,
    customers: Collection[str],
    numbers: Collection[str],
    until: datetime,
    day: date,
) -> Definition:
    """Give every order some customers ever placed, and some orders whoever placed them.

    Args:
        orders: The fact.
        marked_orders: Table of that name; orders of programs do not count.
        customers: Ids of customers, also those they had before.
        numbers: Ids of orders.
        until: First moment no longer looked at.
        day: Orders marked up to this day are left out.

    Returns:
        order_id, customer_id, ordered_at.
    """
    people = _listed("customer_id", customers)
    wanted = _listed("order_id", numbers)
    mine = orders.semi_join(people, "customer_id")
    named = orders.semi_join(wanted, "order_id")
    both = mine.union(named, distinct=True)
    counted = both.filter(both.ordered_at < ibis.literal(until)).mutate(as_of=ibis.literal(day))
    known = without_marked_orders(counted, marked_orders)
    return known.select("order_id", "customer_id", "ordered_at").order_by("ordered_at", "order_id")


def money_of(
    order_lines: Definition, products: Definition, returns: Definition, numbers: Collection[str]
) -> Definition:
    """Give what some orders brought.

    Args:
        order_lines: The fact.
        products: The fact; its unit cost stands in for lines without a cost.
        returns: The fact.
        numbers: Ids of orders.

    Returns:
        One row per order: order_id, sales, known_margin (of lines whose cost is known),
        uncosted_sales (of the other lines), refunds.
    """
    wanted = _listed("order_id", numbers)
    costs = products.filter(_.unit_cost.notnull()).select("product_id", "unit_cost")
    lines = order_lines.semi_join(wanted, "order_id").left_join(costs, "product_id")
    lines = lines.select("order_id", "sales", spent=ibis.coalesce(_.cost, _.quantity * _.unit_cost))
    brought = lines.group_by("order_id").agg(
        sales=_.sales.sum(),
        known_margin=(_.sales - _.spent).sum(where=_.spent.notnull()),
        uncosted_sales=_.sales.sum(where=_.spent.isnull()),
    )
    back = returns.semi_join(wanted, "order_id").group_by("order_id").agg(refunds=_.refund.sum())
    return brought.left_join(back, "order_id").drop("order_id_right").order_by("order_id")


def _listed(name: str, values: Collection[str]) -> Definition:
    return ibis.memtable(pa.table({name: pa.array(sorted(set(values)), pa.string())}))
