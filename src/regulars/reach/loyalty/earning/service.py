"""Orders posted to the ledger, batch by batch, each with the row that says so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from regulars.errors import Transient
from regulars.ports.state import Queries, State
from regulars.reach.loyalty.earning.following import followed, stands
from regulars.reach.loyalty.earning.tables import POSTED
from regulars.reach.loyalty.ledger.service import post
from regulars.reach.loyalty.programme.definition import Programme
from regulars.reach.loyalty.tiers.service import tiers_of

_SQL = Queries(__package__)
AT_ONCE = 2_000


@dataclass(frozen=True)
class Posted:
    """What orders did to points.

    Attributes:
        orders: Orders that were new, changed or gone.
        earned: Points given.
        returned: Points taken back, or owed, for what was returned or cancelled.
        refused: Reversals the ledger refused, by reason; all but "nothing_left" are asked again.
    """

    orders: int
    earned: int
    returned: int
    refused: Mapping[str, int]


def posted_orders(state: State) -> pa.Table:
    """Give the orders that earned already.

    Returns:
        One row per order, as `POSTED`.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["posted"])
    return pa.table(
        {
            "order_id": [row["order_id"] for row in rows],
            "business_date": [date.fromisoformat(row["business_date"]) for row in rows],
            "version": [row["version"] for row in rows],
            "weighted": [Decimal(row["weighted"]) for row in rows],
        },
        schema=POSTED,
    )


def post_orders(
    state: State,
    orders: Sequence[Mapping[str, Any]],
    versions: Mapping[int, Programme],
    *,
    now: datetime,
    zone: str,
) -> Posted:
    """Post what orders earn or give back; the same orders again change nothing.

    Args:
        state: The transactional store.
        orders: Rows of `changed_orders`.
        versions: Every version of the programme by number.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        What was done.

    Raises:
        Transient: Somebody else posts the same orders; the same call is safe to repeat.
    """
    earned = returned = 0
    refused: dict[str, int] = {}
    for first in range(0, len(orders), AT_ONCE):
        part = orders[first : first + AT_ONCE]
        with state.sharing() as opened:
            ids = json.dumps([row["order_id"] for row in part])
            known = {row["order_id"]: row for row in opened.all(_SQL["known"], orders=ids)}
            newest = versions[max(versions)]
            tiers = tiers_of(opened, newest.tiers, {row["customer_id"] for row in part})
            found = [
                followed(
                    row,
                    known.get(row["order_id"]),
                    programme := versions[row["version"]],
                    multiplier=programme.tiers.multiplier(tiers.get(row["customer_id"], "")),
                    zone=zone,
                )
                for row in part
                if _is_news(row, known.get(row["order_id"]))
            ]
            asks = [ask for one in found for ask in one.asks]
            told = post(opened, asks, now=now, policy=newest.policy)
            # Points taken back by hand before are gone already: nothing is left to ask for.
            kept = {one.key for one in told if one.refused not in {"", "nothing_left"}}
            rows = [stands(one, kept).row for one in found]
            if opened.many(_SQL["put"], rows) != len(rows):
                raise Transient("somebody posts the same orders; run the same command again")
        for one in told:
            if one.refused:
                refused[one.refused] = refused.get(one.refused, 0) + 1
            elif one.is_new and one.kind == "earn":
                earned += one.points
            elif one.is_new:
                returned += one.points
    return Posted(len(orders), earned, returned, dict(sorted(refused.items())))


def _is_news(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    """Whether an order is still as it was compared: another process may have posted it."""
    return (known is None) == (row["was"] is None) and (
        known is None or Decimal(known["weighted"]) == row["was"]
    )
