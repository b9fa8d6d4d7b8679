"""Load what files tell (orders, products, customers, contacts, tags) into the store of profiles."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

from regulars.collect.commerce.tables import current_versions
from regulars.numerics.days import EPOCH
from regulars.ports.engine import Reader
from regulars.ports.state import State, Transaction
from regulars.unify.profiles.declared.static_tags import STATIC_TAGS
from regulars.unify.profiles.local_time import local_seconds
from regulars.unify.profiles.online.service import SQL, know_nodes
from regulars.unify.profiles.tables import contact_days, hundredths, known_customers

FROM_FILES = -(2**62)
"""Rank of what a file says: anything an event says wins over it."""

_AT_ONCE = 50_000
_DROPS = ("drop_file_lines", "drop_file_orders", "drop_contacts", "drop_products", "drop_members")
_READS = (
    "customers",
    "products",
    "orders",
    "order_lines",
    "redemptions",
    "contacts",
    "contact_outcomes",
    "order_versions",
    "tag_members",
)


def load_facts(engine: Reader, store: State, *, zone: str, as_of: date) -> dict[str, int]:
    """Put what the lake's files tell in place of what was loaded before.

    Orders that messages told of stay as the messages tell them; a message that comes later
    takes the place of the file's order. Everything happens in one transaction.

    Args:
        engine: Opens the facts.
        store: The store of profiles, its tables made.
        zone: IANA zone of the workspace.
        as_of: Last day read.

    Returns:
        Rows loaded, by what they are.
    """
    facts = {name: engine.table(name) for name in _READS}
    with store.transaction() as opened:
        for name in _DROPS:
            opened.run(SQL[name])
        return {
            "products": _put(opened, "add_product", engine.arrow(_products(facts["products"]))),
            "customers": _customers(opened, engine.arrow(_told(facts["customers"], as_of))),
            "orders": _named(opened, "add_order", engine.arrow(_orders(facts, zone, as_of))),
            "order_lines": _put(opened, "add_line", engine.arrow(_lines(facts, as_of))),
            "contact_days": _named(
                opened, "add_contacts", engine.arrow(_contacts(facts, zone, as_of))
            ),
            "tag_members": _named(opened, "add_member", engine.arrow(_members(facts))),
        }


def _products(products: Table) -> Table:
    return products.select(
        product=_.product_id,
        category=ibis.coalesce(_.category, _.department),
        brand=_.brand,
        is_private_label=_.is_private_label.cast("int64"),
        unit_cost=hundredths(_.unit_cost),
    ).order_by("product")


def _told(customers: Table, as_of: date) -> Table:
    known = known_customers(customers, as_of=as_of)
    tags = [tag.name for tag in STATIC_TAGS if tag.name in known.columns]
    return known.select(name=_.customer_id, **{tag: known[tag].cast("string") for tag in tags})


def _orders(facts: Mapping[str, Table], zone: str, as_of: date) -> Table:
    lines = facts["order_lines"].filter((_.business_date <= as_of) & (_.coupon_discount > 0))
    named = facts["redemptions"].filter((_.redeemed_on <= as_of) & _.order_id.notnull())
    couponed = lines.select("order_id").union(named.select("order_id")).distinct()
    couponed = couponed.select(couponed_id=_.order_id)
    found = _of_files(facts["orders"], facts, as_of)
    found = found.left_join(couponed, found.order_id == couponed.couponed_id)
    hour = local_seconds(found.ordered_at, zone, until=as_of) % 86_400 // 3_600
    return found.select(
        "order_id",
        name=_.customer_id,
        from_files=ibis.literal(1),
        day=_day(found),
        hour=hour,
        store=_.store_id,
        paid=hundredths(_.total),
        coupon=_.couponed_id.notnull().cast("int64"),
    ).order_by("name", "order_id")


def _lines(facts: Mapping[str, Table], as_of: date) -> Table:
    found = _of_files(facts["order_lines"], facts, as_of)
    retail, coupon = hundredths(found.retail_discount), hundredths(found.coupon_discount)
    place = ibis.window(group_by="order_id", order_by="line_id")
    return found.select(
        "order_id",
        from_files=ibis.literal(1),
        line=ibis.row_number().over(place),
        product=_.product_id,
        quantity=(_.quantity.cast("float64") * 1000).round().cast("int64"),
        sales=hundredths(_.sales),
        discounts=ibis.coalesce(retail, 0) + ibis.coalesce(coupon, 0),
        cost=hundredths(_.cost),
    ).order_by("order_id", "line")


def _contacts(facts: Mapping[str, Table], zone: str, as_of: date) -> Table:
    days = contact_days(
        facts["contacts"], facts["contact_outcomes"], facts["redemptions"], zone=zone, as_of=as_of
    )
    summed = days.group_by("customer_id", "day").agg(
        contacts=_.contacts.sum(), engaged=_.engaged.sum()
    )
    return summed.rename(name="customer_id").order_by("name", "day")


def _members(facts: Mapping[str, Table]) -> Table:
    rows = facts["tag_members"]
    return (
        rows
        .filter(_.turn == rows.turn.max())
        .select(
            "tag",
            name=_.customer_id,
            entered_on=_.entered_on.cast("string"),
            is_member=_.is_member.cast("int64"),
        )
        .order_by("name", "tag")
    )


def _of_files(table: Table, facts: Mapping[str, Table], as_of: date) -> Table:
    seen = table.filter(_.business_date <= as_of)
    return seen.anti_join(current_versions(facts["order_versions"]), "order_id")


def _day(table: Table) -> ibis.Value:
    return table.business_date.delta(ibis.date(EPOCH.year, EPOCH.month, EPOCH.day), unit="day")


def _pages(rows: pa.Table) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, rows.num_rows, _AT_ONCE):
        yield rows.slice(start, _AT_ONCE).to_pylist()


def _put(opened: Transaction, query: str, rows: pa.Table) -> int:
    for page in _pages(rows):
        opened.many(SQL[query], page)
    return int(rows.num_rows)


def _named(opened: Transaction, query: str, rows: pa.Table) -> int:
    for page in _pages(rows):
        know_nodes(opened, [(name, 0) for name in {row["name"]: 0 for row in page}])
        opened.many(SQL[query], page)
    return int(rows.num_rows)


def _customers(opened: Transaction, rows: pa.Table) -> int:
    for page in _pages(rows):
        number = know_nodes(opened, [(row["name"], 0) for row in page])
        said = [
            {
                "node": number[row["name"]],
                "tag": tag,
                "said": text,
                "rank": FROM_FILES,
                "version": "customers",
            }
            for row in page
            for tag, text in row.items()
            if tag != "name" and text
        ]
        opened.many(SQL["tell"], said)
    return int(rows.num_rows)
