"""What is asked of the ledger when an order is new, changed or gone: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.reach.loyalty.ledger.records import Ask, earn, reverse
from regulars.reach.loyalty.programme.definition import Programme

REASON, RETURNED = "order", "return"


@dataclass(frozen=True)
class Followed:
    """What an order is to earn.

    Attributes:
        asks: Operations for the ledger, in order.
        row: The order as it stands afterwards.
    """

    asks: list[Ask]
    row: dict[str, Any]


def followed(
    order: Mapping[str, Any],
    known: Mapping[str, Any] | None,
    programme: Programme,
    *,
    multiplier: Decimal,
    zone: str,
) -> Followed:
    """Say what an order asks of the ledger, once per state the order was in.

    Args:
        order: One row of `changed_orders`.
        known: The order as it stood; None when it is new.
        programme: The version it earns under.
        multiplier: That of its customer's tier; of a known order the one it had is kept.
        zone: IANA zone days are counted in.

    Returns:
        Operations and the new row. What returned takes from the lot earned last first.
    """
    held = Decimal(known["multiplier"]) if known else multiplier
    points = programme.points_of(order["weighted"], held)
    was, changes = (known["points"], known["changes"]) if known else (0, 0)
    lots: list[list[Any]] = json.loads(known["lots"]) if known else []
    key = f"order/{order['order_id']}" + (f"/{changes}" if changes else "")
    asks: list[Ask] = []
    if points > was and order["ordered_at"] is not None:
        available, expires = programme.moments(order["ordered_at"], zone=zone)
        asks.append(
            earn(
                key,
                order["customer_id"],
                points - was,
                reason=REASON,
                reference=order["order_id"],
                available_at=available,
                expires_at=expires,
            )
        )
        lots.append([key, points - was])
    asks += _taken_back(key, order["order_id"], lots, was - points)
    row = {
        "order_id": order["order_id"],
        "customer_id": known["customer_id"] if known else order["customer_id"],
        "business_date": order["business_date"].isoformat(),
        "version": order["version"],
        "multiplier": str(held),
        "weighted": str(order["weighted"]),
        "points": points,
        "changes": changes + 1,
        "lots": json.dumps([lot for lot in lots if lot[1]]),
    }
    return Followed(asks, row)


def _taken_back(key: str, order_id: str, lots: list[list[Any]], points: int) -> list[Ask]:
    asks = []
    for place, lot in enumerate(reversed(lots)):
        here = min(points, lot[1])
        if here > 0:
            points -= here
            lot[1] -= here
            name = f"return/{key}/{place}"
            asks.append(reverse(name, lot[0], points=here, reason=RETURNED, reference=order_id))
    return asks
