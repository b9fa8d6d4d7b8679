"""Reports on points, from the ledger as it stands."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.records import NEVER, text_of

_SQL = Queries(__package__)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Owed:
    """Points that end with one month.

    Attributes:
        month: The month as YYYY-MM; "" for points that never expire.
        active: Points that can be spent.
        pending: Points under lock.
        amount: What they are worth, in the workspace's currency.
        expected: What of it is expected to be spent.
    """

    month: str
    active: int
    pending: int
    amount: Decimal
    expected: Decimal


@dataclass(frozen=True)
class Liability:
    """What the programme owes at a moment.

    Attributes:
        active: Points that can be spent.
        pending: Points under lock.
        owed_to_us: Points customers owe, of returned orders.
        holders: Customers with points.
        point_value: What one point is worth.
        amount: What all points are worth.
        breakage: Share of points that expired, of lots whose life is over: pooled over all of
            them, so for what is left of half-spent lots a low figure; None before the first.
        matured: Lots it was read from.
        expected: What is expected to be spent: the amount less breakage; points that never
            expire in full.
        by_month: The same by month of expiry.
    """

    active: int
    pending: int
    owed_to_us: int
    holders: int
    point_value: Decimal
    amount: Decimal
    breakage: float | None
    matured: int
    expected: Decimal
    by_month: list[Owed]


@dataclass(frozen=True)
class Month:
    """What happened to points in one month.

    Attributes:
        month: As YYYY-MM, UTC.
        issued: Points given, less those taken back.
        redeemed: Points spent, less those given back.
        expired: Points that expired.
        written_off: Spent points of returned orders the programme did not ask back.
    """

    month: str
    issued: int
    redeemed: int
    expired: int
    written_off: int


@dataclass(frozen=True)
class Expiring:
    """Points of one customer that expire at one moment.

    Attributes:
        customer_id: Whose.
        expires_at: When, UTC ISO text.
        points: How many.
    """

    customer_id: str
    expires_at: str
    points: int


def liability(state: State, *, point_value: Decimal, now: datetime) -> Liability:
    """Tell what the programme owes.

    Args:
        state: The transactional store; locks and expiries that are due but were not swept yet
            count by their moment.
        point_value: What one point is worth, 0 or more.
        now: The moment, aware.

    Returns:
        The report; with nothing owed when there are no points.
    """
    at = text_of(now)
    with state.reading() as opened:
        rows = opened.all(_SQL["outstanding"], at=at)
        [matured] = opened.all(_SQL["matured"], at=at)
        [totals] = opened.all(_SQL["totals"])
    lived = int(matured["points"])
    share = Decimal(int(matured["expired"])) / lived if lived else Decimal(0)
    by_month: dict[str, dict[str, int]] = {}
    for row in rows:
        name = "" if row["month"] == NEVER[:7] else row["month"]
        by_month.setdefault(name, {})[row["state"]] = int(row["points"])
    months = [
        _owed(name, by_month[name], point_value, share)
        for name in sorted(by_month, key=lambda month: month or NEVER)
    ]
    return Liability(
        sum(one.active for one in months),
        sum(one.pending for one in months),
        int(totals["owed"]),
        int(totals["holders"]),
        point_value,
        sum((one.amount for one in months), Decimal(0)).quantize(_CENT),
        float(share) if lived else None,
        int(matured["lots"]),
        sum((one.expected for one in months), Decimal(0)).quantize(_CENT),
        months,
    )


def months(state: State, *, since: datetime) -> list[Month]:
    """Tell what happened to points by month, the first first.

    Args:
        state: The transactional store.
        since: Moment before which nothing counts, aware.

    Returns:
        Every month from the first in which something happened to the last.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["months"], since=text_of(since))
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["month"], {})[row["account"]] = int(row["points"])
    return [
        Month(
            month,
            -moved.get("issued", 0),
            moved.get("redeemed", 0),
            moved.get("expired", 0),
            -moved.get("written_off", 0),
        )
        for month in _each_month(sorted(found))
        for moved in [found.get(month, {})]
    ]


def _each_month(months: Sequence[str]) -> list[str]:
    """Give the months from the first to the last, those between them too."""
    if not months:
        return []
    first, last = (12 * int(text[:4]) + int(text[5:7]) - 1 for text in (months[0], months[-1]))
    return [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(first, last + 1)]


def expiring(opened: Transaction, *, after: datetime, until: datetime) -> list[Expiring]:
    """List points that expire within a time, customer by customer.

    Args:
        opened: A transaction.
        after: Moment after which they expire, aware.
        until: Last moment, aware.

    Returns:
        One row per customer and moment, the soonest first.
    """
    rows = opened.all(_SQL["expiring"], after=text_of(after), until=text_of(until))
    return [Expiring(row["customer_id"], row["expires_at"], int(row["points"])) for row in rows]


def expiring_of(
    opened: Transaction, customers: Collection[str], *, after: datetime, until: datetime
) -> list[Expiring]:
    """List points of one customer that expire within a time.

    Args:
        opened: A transaction.
        customers: The customer's ids.
        after: Moment after which they expire, aware.
        until: Last moment, aware.

    Returns:
        One row per moment, the soonest first.
    """
    asked = json.dumps(sorted(customers))
    rows = opened.all(
        _SQL["expiring_of"], customers=asked, after=text_of(after), until=text_of(until)
    )
    return [Expiring(row["customer_id"], row["expires_at"], int(row["points"])) for row in rows]


def _owed(month: str, points: dict[str, int], value: Decimal, share: Decimal) -> Owed:
    active, pending = points.get("active", 0), points.get("pending", 0)
    amount = (active + pending) * value
    expected = amount if not month else amount * (1 - share)
    return Owed(month, active, pending, amount.quantize(_CENT), expected.quantize(_CENT))
