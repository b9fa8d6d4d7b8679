"""What orders are attributed to creators: clicks and codes on one side, orders on the other."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError
from regulars.measure.attribution.last_touch import Credit, Touch, credit, touches_of
from regulars.measure.attribution.tables import (
    codes_on_orders,
    money_of,
    orders_of,
    pages_naming_clicks,
)
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.reach.coupons.codes import normal
from regulars.reach.links.creator_marks import click_of_mark, creator_of_clicks
from regulars.reach.links.creators.service import Creator, creators
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.settings import Settings
from regulars.unify.identity.service import aliases

WINDOW_DAYS = 7
MOST_WINDOW_DAYS = 90
_SQL = Queries(__package__)
_NOTHING = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Attributed:
    """What is attributed to a creator over a period.

    Attributes:
        creator_id: Who.
        name: What they are called.
        clicks: Clicks of people on the link in the period.
        visitors: Customers who came by the link and were told of by the shop's page.
        by_code: Orders with the code.
        by_link: Orders within the window after the link, without a creator's code.
        customers: Customers behind all of them.
        new_customers: Those whose first order ever is one of them.
        sales: What was paid for them and not paid back.
        margin: Sales less the cost of goods, as far as not paid back; the margin rate of the
            settings where no cost is known.
        unknown_orders: Orders with the code which nothing else tells of yet; not in the above.
    """

    creator_id: str
    name: str
    clicks: int
    visitors: int
    by_code: int
    by_link: int
    customers: int
    new_customers: int
    sales: Decimal
    margin: Decimal
    unknown_orders: int

    @property
    def orders(self) -> int:
        """Orders attributed, by either way."""
        return self.by_code + self.by_link


@dataclass(frozen=True)
class Attribution:
    """Attribution of a period, with the rule it was made by.

    Attributes:
        since: First moment of the orders.
        until: First moment no longer looked at.
        window_days: Days before an order in which a link followed still counts.
        rule: The rule in words.
        creators: One per creator, by id.
    """

    since: datetime
    until: datetime
    window_days: int
    rule: str
    creators: tuple[Attributed, ...]


RULE = "last touch; a code used on the order beats a link followed; attributed, not caused"


def attribute_orders(
    engine: Reader,
    state: State,
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    window_days: int = WINDOW_DAYS,
) -> Attribution:
    """Attribute the orders of a period to creators.

    Args:
        engine: Opens events, orders and what they brought.
        state: Clicks, codes used, who is who.
        settings: The zone, and the margin rate where no cost is known.
        since: First moment of the orders, aware.
        until: First moment no longer looked at.
        window_days: Days before an order in which a link followed still counts, 1 to 90.

    Returns:
        The attribution. An order goes to one creator at most. Clicks count once they were judged,
        some minutes after they came.

    Raises:
        InputError: The window is out of range, or the period ends before it begins.
    """
    if not 1 <= window_days <= MOST_WINDOW_DAYS:
        raise InputError(f"window is {window_days} days, must be 1 to {MOST_WINDOW_DAYS}")
    if until <= since:
        raise InputError(f"the period ends at {until} and begins at {since}; give a later end")
    known, window = creators(state), timedelta(days=window_days)
    clicked = _clicked(state, since - window, until)
    merged, zone = aliases(state), ZoneInfo(settings.retailer.zone)
    touches = _touches(engine, clicked, merged, (since - window).astimezone(zone).date())
    codes = _codes(engine, state, known)
    orders = _orders(engine, touches, list(codes), merged, until=until, zone=zone)
    credits = {
        row["order_id"]: found
        for row in orders
        if row["ordered_at"] >= since
        and (
            found := credit(
                row["ordered_at"],
                codes=codes.get(row["order_id"], ()),
                touches=touches.get(row["customer_id"], ()),
                window=window,
            )
        )
    }
    brought = _brought(engine, list(credits), settings.loop.margin_rate)
    sums = _Sums(orders, credits, brought, touches, since)
    clicks = Counter(one.creator_id for one in clicked.values() if one.at >= since)
    made = [sums.of(one, clicks[one.creator_id], codes) for one in known]
    return Attribution(since, until, window_days, RULE, tuple(made))


class _Sums:
    """Orders, credits and money, summed by creator."""

    def __init__(
        self,
        orders: Sequence[Mapping[str, Any]],
        credits: Mapping[str, Credit],
        brought: Mapping[str, tuple[Decimal, Decimal]],
        touches: Mapping[str, Sequence[Touch]],
        since: datetime,
    ) -> None:
        first: dict[str, str] = {}
        for row in orders:
            first.setdefault(row["customer_id"], row["order_id"])
        self._rows: dict[str, list[tuple[str, str, Credit]]] = defaultdict(list)
        for row in orders:
            one = credits.get(row["order_id"])
            if one:
                self._rows[one.creator_id].append((row["order_id"], row["customer_id"], one))
        self._first, self._brought = set(first.values()), brought
        self._known = {row["order_id"] for row in orders}
        self._visitors = Counter(
            creator
            for seen in touches.values()
            for creator in {one.creator_id for one in seen if one.at >= since}
        )

    def of(self, one: Creator, clicks: int, codes: Mapping[str, Sequence[str]]) -> Attributed:
        """Sum up one creator."""
        unknown = [
            order
            for order, them in codes.items()
            if one.creator_id in them and order not in self._known
        ]
        rows = self._rows[one.creator_id]
        money = [self._brought.get(order, (_NOTHING, _NOTHING)) for order, _who, _by in rows]
        by_code = sum(found.by == "code" for _order, _who, found in rows)
        return Attributed(
            one.creator_id,
            one.name,
            clicks,
            self._visitors[one.creator_id],
            by_code,
            len(rows) - by_code,
            len({who for _order, who, _by in rows}),
            len({who for order, who, _by in rows if order in self._first}),
            sum((sales for sales, _margin in money), _NOTHING).quantize(_CENT),
            sum((margin for _sales, margin in money), _NOTHING).quantize(_CENT),
            len(unknown),
        )


def _clicked(state: State, since: datetime, until: datetime) -> dict[str, Touch]:
    with state.reading() as opened:
        rows = opened.all(_SQL["clicks"], since=_text(since), until=_text(until))
    return {
        row["click_id"]: Touch(
            datetime.fromisoformat(row["at"]), creator_of_clicks(row["contact_key"])
        )
        for row in rows
    }


def _touches(
    engine: Reader, clicked: Mapping[str, Touch], merged: Mapping[str, str], day: date
) -> dict[str, list[Touch]]:
    """Say who followed a link, by the pages that named the click; nobody reads them for nothing."""
    if not clicked:
        return {}
    followed = []
    for row in engine.rows(pages_naming_clicks(engine.table("events"), since=day)):
        who = primary_identifier(row["user_id"], row["anonymous_id"])
        if who:
            node = customer_id_of(*who)
            followed.append((click_of_mark(row["mark"]), merged.get(node, node), row["at"]))
    return touches_of(clicked, followed)


def _codes(engine: Reader, state: State, known: Sequence[Creator]) -> dict[str, list[str]]:
    """Give the creators whose codes were used, by order: told by tills, files and messages."""
    owner = {normal(one.code): one.creator_id for one in known}
    if not owner:
        return {}
    with state.reading() as opened:
        rows = opened.all(_SQL["codes"], codes=json.dumps(sorted(owner)))
    rows = [*rows, *engine.rows(codes_on_orders(engine.table("redemptions"), owner.keys()))]
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["order_id"]].add(owner[row["code"]])
    return {order: sorted(them) for order, them in sorted(found.items())}


def _orders(
    engine: Reader,
    customers: Iterable[str],
    numbers: Sequence[str],
    merged: Mapping[str, str],
    *,
    until: datetime,
    zone: ZoneInfo,
) -> list[dict[str, Any]]:
    """Give every order of those who followed a link or used a code, with their present ids."""

    def read(people: Iterable[str]) -> list[dict[str, Any]]:
        table = orders_of(
            engine.table("orders"),
            engine.table("marked_orders"),
            customers=sorted(people),
            numbers=numbers,
            until=until,
            day=until.astimezone(zone).date(),
        )
        return engine.rows(table)

    people = _with_old_ids(customers, merged)
    if not people and not numbers:
        return []
    if numbers:
        people |= _with_old_ids((row["customer_id"] for row in read(())), merged)
    return [
        row | {"customer_id": merged.get(row["customer_id"], row["customer_id"])}
        for row in read(people)
    ]


def _brought(
    engine: Reader, numbers: Sequence[str], margin_rate: float
) -> dict[str, tuple[Decimal, Decimal]]:
    """Give sales and margin of orders, as far as they were not paid back."""
    if not numbers:
        return {}
    lines, products = engine.table("order_lines"), engine.table("products")
    found, rate = {}, Decimal(str(margin_rate))
    for row in engine.rows(money_of(lines, products, engine.table("returns"), numbers)):
        sales = _exact(row["sales"])
        margin = _exact(row["known_margin"]) + rate * _exact(row["uncosted_sales"])
        refunds = min(_exact(row["refunds"]), sales)
        kept = (sales - refunds) / sales if sales else Decimal(0)
        found[row["order_id"]] = sales - refunds, margin * kept
    return found


def _with_old_ids(customers: Iterable[str], merged: Mapping[str, str]) -> set[str]:
    wanted = {merged.get(one, one) for one in customers}
    return wanted | {old for old, present in merged.items() if present in wanted}


def _exact(value: Any) -> Decimal:
    return _NOTHING if value is None else Decimal(value)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
