"""What messages read, as definitions: profiles, names, tags, offers, stores, products."""

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

RECENT_DAYS = 90


def fields_of(profiles: Table, customers: Sequence[str] | None, names: Sequence[str]) -> Table:
    """Read some fields of some customers' profiles, of the newest turn.

    Args:
        profiles: One row per customer and turn.
        customers: Who; None for everybody.
        names: Columns wanted.

    Returns:
        One row per customer known: customer_id and the columns.
    """
    newest = profiles.agg(newest=_.turn.max())
    mine = _of(profiles, customers)
    return mine.inner_join(newest, mine.turn == newest.newest).select("customer_id", *names)


def names_of(customer_facts: Table, customers: Sequence[str] | None) -> Table:
    """Read the names of some customers, or of everybody: customer_id and name."""
    return _of(customer_facts, customers).select("customer_id", "name")


def _of(table: Table, customers: Sequence[str] | None) -> Table:
    if customers is None:
        return table
    return table.semi_join(_wanted("customer_id", customers), "customer_id")


def tags_of(tag_members: Table, customers: Sequence[str]) -> Table:
    """Read the tags of some customers, of the newest turn: customer_id and tag, in order."""
    newest = tag_members.agg(newest=_.turn.max())
    mine = tag_members.filter(_.is_member).semi_join(
        _wanted("customer_id", customers), "customer_id"
    )
    joined = mine.inner_join(newest, mine.turn == newest.newest)
    return joined.select("customer_id", "tag").order_by("customer_id", "tag")


def _wanted(column: str, values: Sequence[str]) -> Table:
    """The values asked for as a table: a list of hundreds takes long to write as SQL."""
    return ibis.memtable(pa.table({column: pa.array(list(values), pa.string())}))


def goods(products: Table, stock_levels: Table, ids: Sequence[str]) -> Table:
    """Read what messages say of some products.

    Args:
        products: One row per product.
        stock_levels: One row per product, store and count.
        ids: Products wanted.

    Returns:
        One row per product: name, brand, category, the newest price, and the units in all
        stores as last counted; price and stock are empty where nothing was counted.
    """
    wanted = _wanted("product_id", ids)
    counted = stock_levels.semi_join(wanted, "product_id")
    last = counted.group_by("product_id", "store_id").agg(
        units=_.quantity.argmax(_.counted_at),
        price=_.price.argmax(_.counted_at),
        counted_at=_.counted_at.max(),
    )
    summed = last.group_by(of=_.product_id).agg(
        stock=_.units.sum(), price=_.price.argmax(_.counted_at)
    )
    named = products.semi_join(wanted, "product_id")
    joined = named.left_join(summed, named.product_id == summed.of)
    return joined.select(
        "product_id",
        "name",
        "brand",
        category=ibis.coalesce(joined.category, joined.department),
        price=joined.price,
        stock=joined.stock,
    )


def popular(order_lines: Table, products: Table, *, as_of: date, most: int) -> Table:
    """Rank the products of each category by how many customers bought them lately.

    Args:
        order_lines: One row per line of an order.
        products: One row per product.
        as_of: Last day counted.
        most: Products per category.

    Returns:
        category, product_id and place (0 first).
    """
    since = as_of - timedelta(days=RECENT_DAYS)
    recent = order_lines.filter(_.business_date > since, _.business_date <= as_of)
    buyers = recent.group_by("product_id").agg(buyers=_.customer_id.nunique())
    named = products.select(
        of=products.product_id, category=ibis.coalesce(products.category, products.department)
    )
    joined = buyers.inner_join(named, buyers.product_id == named.of).filter(_.category.notnull())
    window = ibis.window(
        group_by="category", order_by=[ibis.desc("buyers"), ibis.asc("product_id")]
    )
    ranked = joined.mutate(place=ibis.row_number().over(window))
    kept = ranked.filter(_.place < most).select("category", "product_id", "place")
    return kept.order_by("category", "place")


def bought_again(order_lines: Table, customers: Sequence[str], *, as_of: date, most: int) -> Table:
    """Rank what each customer bought more than once.

    Args:
        order_lines: One row per line of an order.
        customers: Who.
        as_of: Last day counted.
        most: Products per customer.

    Returns:
        customer_id, product_id and place (0 first): most orders first, then the latest.
    """
    mine = order_lines.filter(_.business_date <= as_of, _.quantity > 0).semi_join(
        _wanted("customer_id", customers), "customer_id"
    )
    counted = (
        mine
        .group_by("customer_id", "product_id")
        .agg(orders=_.order_id.nunique(), last=_.business_date.max())
        .filter(_.orders > 1)
    )
    window = ibis.window(
        group_by="customer_id",
        order_by=[ibis.desc("orders"), ibis.desc("last"), ibis.asc("product_id")],
    )
    ranked = counted.mutate(place=ibis.row_number().over(window))
    kept = ranked.filter(_.place < most).select("customer_id", "product_id", "place")
    return kept.order_by("customer_id", "place")
