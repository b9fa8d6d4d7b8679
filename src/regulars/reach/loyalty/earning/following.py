"""What is asked of the ledger when an order is new, changed or gone: pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from regulars.reach.loyalty.ledger.records import Ask, earn, reverse
from regulars.reach.loyalty.programme.definition import Programme

REASON, RETURNED = "order", "return"
UNSETTLED = "-1"
"""Weight of an order whose reversal was refused: no order has it, so it is looked at again."""


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
    # Whoever it earned for first: a merge brings him along, and who was erased does not come back.
    customer = known["customer_id"] if known else order["customer_id"]
    # The id comes last: whatever it is made of, no other order has the same key.
    key = f"order:{changes}:{order['order_id']}"
    asks: list[Ask] = []
    if points > was and order["ordered_at"] is not None:
        available, expires = programme.moments(order["ordered_at"], zone=zone)
        asks.append(
            earn(
                key,
                customer,
                points - was,
                reason=REASON,
                reference=order["order_id"],
                available_at=available,
                expires_at=expires,
            )
        )
        lots.append([key, points - was])
    asks += _taken_back(changes, order["order_id"], lots, was - points)
    row = {
        "order_id": order["order_id"],
        "customer_id": customer,
        "business_date": order["business_date"].isoformat(),
        "version": order["version"],
        "multiplier": str(held),
        "weighted": str(order["weighted"]),
        "points": points,
        "changes": changes + 1,
        "lots": json.dumps([lot for lot in lots if lot[1]]),
    }
    return Followed(asks, row)


def stands(one: Followed, refused: Collection[str]) -> Followed:
    """Say how an order stands when the ledger refused some of what was asked.

    Args:
        one: What was asked.
        refused: Keys of operations refused, whose points the customer still has.

    Returns:
        The order with those points still earned, and a weight that is looked at again.
    """
    back = [(ask.reverses, ask.points) for ask in one.asks if ask.key in refused]
    if not back:
        return one
    lots = dict(json.loads(one.row["lots"]))
    for name, points in back:
        lots[name] = lots.get(name, 0) + points
    still = one.row["points"] + sum(points for _, points in back)
    row = {"points": still, "weighted": UNSETTLED, "lots": json.dumps(list(lots.items()))}
    return replace(one, row=one.row | row)


def _taken_back(changes: int, order_id: str, lots: list[list[Any]], points: int) -> list[Ask]:
    asks = []
    for place, lot in enumerate(reversed(lots)):
        here = min(points, lot[1])
        if here > 0:
            points -= here
            lot[1] -= here
            name = f"return:{changes}:{place}:{order_id}"
            asks.append(reverse(name, lot[0], points=here, reason=RETURNED, reference=order_id))
    return asks
