"""Whose points expire on a day: a date of customers that journeys let in by."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.records import NEVER, text_of

_SQL = Queries(__package__)


def points_expiring(opened: Transaction, day: date, *, zone: str) -> dict[str, dict[str, Any]]:
    """Give whose points expire on a day, or did.

    Of a day that has passed, who had spent all of a lot before its end is not seen any more.

    Args:
        opened: A transaction.
        day: The day; points that expire at the midnight that ends it are of this day.
        zone: IANA zone of the day.

    Returns:
        By customer's present id how many points, and until which day they can be spent.
    """
    begin = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    rows = opened.all(_SQL["points_expiring"], after=text_of(begin), until=text_of(until))
    return {
        row["customer_id"]: {"points": int(row["points"]), "expires_on": day.isoformat()}
        for row in rows
    }


def points_held(state: State) -> int:
    """Count the customers who have points that expire one day."""
    with state.reading() as opened:
        [row] = opened.all(_SQL["points_held"], never=NEVER)
    return int(row["customers"])
