"""What happened to and through one customer, online and offline, by whatever identifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.collect.commerce.orders import STATUS
from regulars.collect.commerce.presences import COUNTED, SENSED
from regulars.ports.engine import Reader
from regulars.records.identifiers import COOKIE, EMAIL, LOGIN, PHONE
from regulars.unify.identity.graph import Node

MOST_HAPPENINGS = 200
_USER_IDS = (LOGIN, PHONE, EMAIL)


@dataclass(frozen=True)
class Happening:
    """One thing that happened.

    Attributes:
        at: When: a moment in UTC, or midnight UTC of a day when only the day is known.
        has_time: False when only the day is known.
        kind: order, return, visit, event, contact, receipt, redemption or consent.
        what: The finer kind: a receipt's, a consent's status, web or store; else "".
        subject: Product, coupon or purpose; the name of a store, an offer or an event.
        channel: Channel, where there is one.
        money: Money that moved.
    """

    at: datetime
    has_time: bool
    kind: str
    what: str
    subject: str
    channel: str
    money: Decimal | None


@dataclass(frozen=True)
class MonthSpend:
    """What a customer paid in one month.

    Attributes:
        month: First day of the month.
        spend: Paid for orders.
        orders: Orders.
    """

    month: date
    spend: Decimal
    orders: int


def timeline(
    engine: Reader,
    customer_id: str,
    *,
    identifiers: Sequence[Node] = (),
    most: int = MOST_HAPPENINGS,
) -> list[Happening]:
    """Tell what happened to and through one customer.

    Args:
        engine: The engine.
        customer_id: The retailer's own id.
        identifiers: Everything known to be hers; what any of them did is told too.
        most: At most so many.

    Returns:
        The newest first; empty for somebody unknown.
    """
    found: list[Happening] = []
    own = sorted({customer_id} | {one.node for one in identifiers})
    for name, at, columns in _SOURCES:
        table = engine.table(name)
        if name == "events":
            table = _events_of(table, customer_id, identifiers)
        else:
            table = table.filter(_.customer_id.isin(own))
        if name == "contacts":
            table = table.filter(_.fate == "sent", _.at.notnull())
        if "store_id" in columns.values():
            table = _named(table, engine.table("stores"), "store_id")
        if "offer_id" in columns.values():
            table = _named(table, engine.table("offers"), "offer_id")
        found += [
            _happening(name, row, at, columns) for row in engine.rows(_newest(table, at, most))
        ]
    found.sort(key=lambda h: (h.at, h.kind, h.what, h.subject), reverse=True)
    return found[:most]


def monthly_spend(engine: Reader, customer_id: str, *, months: int = 12) -> list[MonthSpend]:
    """Add up what a customer paid by month.

    Args:
        engine: The engine.
        customer_id: The retailer's own id.
        months: At most so many, ending with the last month anybody bought in.

    Returns:
        In order, months without orders included; empty when the customer never bought.
    """
    orders = engine.table("orders")
    month = _.business_date.truncate("M").cast("date")
    [last] = engine.rows(orders.agg(last=_.business_date.max()))
    mine = (
        orders
        .filter(_.customer_id == customer_id)
        .group_by(month=month)
        .agg(spend=_.total.sum(), orders=_.count())
        .order_by("month")
    )
    by_month = {row["month"]: MonthSpend(**row) for row in engine.rows(mine)}
    if not by_month or last["last"] is None:
        return []
    wanted = [_months_before(last["last"], n) for n in reversed(range(months))]
    first = max(min(by_month), wanted[0])
    return [
        by_month.get(month, MonthSpend(month, Decimal("0.00"), 0))
        for month in wanted
        if month >= first
    ]


_SOURCES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("orders", "ordered_at", {"subject": "store_id", "money": "total"}),
    ("returns", "business_date", {"subject": "product_id", "money": "refund"}),
    ("visits", "started_at", {"what": "kind", "subject": "store_id"}),
    ("events", "occurred_at", {"subject": "name"}),
    ("contacts", "at", {"subject": "offer_id", "channel": "channel"}),
    ("contact_outcomes", "occurred_at", {"what": "kind"}),
    ("redemptions", "redeemed_on", {"subject": "coupon_id", "money": "amount"}),
    ("consents", "recorded_at", {"what": "status", "subject": "purpose", "channel": "channel"}),
)
_KINDS = {
    "orders": "order",
    "returns": "return",
    "visits": "visit",
    "events": "event",
    "contacts": "contact",
    "contact_outcomes": "receipt",
    "redemptions": "redemption",
    "consents": "consent",
}


def _events_of(events: Table, customer_id: str, identifiers: Sequence[Node]) -> Table:
    """Events of a customer that are not told as an order or a visit already."""
    users = {customer_id} | {one.value for one in identifiers if one.namespace in _USER_IDS}
    devices = [one.value for one in identifiers if one.namespace == COOKIE]
    is_hers = _.user_id.isin(sorted(users))
    if devices:
        is_hers |= _.user_id.isnull() & _.anonymous_id.isin(sorted(devices))
    told = events.filter(is_hers)
    told = told.filter(~ibis.coalesce(_.event, "").isin([*STATUS, SENSED, COUNTED]))
    return told.mutate(name=ibis.coalesce(_.event, _.type))


def _named(table: Table, catalogue: Table, key: str) -> Table:
    """Put names in the place of ids; an id nobody named stays."""
    names = catalogue.select(key, called=_.name)
    named = table.left_join(names, key).drop(f"{key}_right")
    return named.mutate(**{key: ibis.coalesce(named.called, named[key])}).drop("called")


def _newest(table: Table, at: str, most: int) -> Table:
    return table.order_by(ibis.desc(at)).limit(most)


def _happening(name: str, row: dict[str, Any], at: str, columns: dict[str, str]) -> Happening:
    when = row[at]
    has_time = isinstance(when, datetime)
    given = {part: row[column] for part, column in columns.items()}
    return Happening(
        when.astimezone(UTC) if has_time else datetime.combine(when, time(), UTC),
        has_time,
        _KINDS[name],
        given.get("what") or "",
        given.get("subject") or "",
        given.get("channel") or "",
        given.get("money"),
    )


def _months_before(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
