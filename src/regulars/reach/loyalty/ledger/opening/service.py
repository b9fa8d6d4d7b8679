"""Lots read from the state: those that are due, the first ones of who spends, and more as asked."""

import json
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from regulars.ports.state import Queries, Transaction
from regulars.reach.loyalty.ledger.lots import FIRST, OpenLots, Order, Reach
from regulars.reach.loyalty.ledger.records import ACTIVE, PENDING, Lot

_SQL = Queries(__package__)
_COLUMNS = tuple(one.name for one in fields(Lot) if one.name != "stood")


def read_lots(
    opened: Transaction,
    customers: Collection[str],
    *,
    at: str,
    spend: Collection[str] = (),
    also: Collection[str] = (),
    of: Collection[str] = (),
) -> OpenLots:
    """Read as many lots as operations may need, however many there are.

    Args:
        opened: The transaction in which the accounts of the customers are locked.
        customers: Whose lots that are due are read.
        at: The moment as of which they are, UTC ISO text.
        spend: Those of them who are about to spend: the first lots by expiry are read ahead.
        also: Ids of lots to read besides, spent or not.
        of: Customers of whom every lot is read, the spent ones too.

    Returns:
        The lots, which read further ones when an operation reaches past them.
    """
    rows = opened.all(_SQL["due_lots"], customers=_asked(customers), at=at)
    if also:
        rows += opened.all(_SQL["lots_named"], lots=_asked(also))
    read_to: dict[Reach, Order | None] = {}
    if of:
        rows += opened.all(_SQL["every_lot"], customers=_asked(of))
        read_to = {(name, pocket): None for name in of for pocket in (ACTIVE, PENDING)}
    ahead = [name for name in spend if name not in of]
    if ahead:
        first = opened.all(_SQL["first_lots"], customers=_asked(ahead), state=ACTIVE, most=FIRST)
        read_to |= _reached(ahead, [_lot(row) for row in first])
        rows += first

    def further(customer_id: str, state: str, after: Order, most: int) -> list[Lot]:
        expires_at, earned_at, lot_id = after
        found = opened.all(
            _SQL["further_lots"],
            customer_id=customer_id,
            state=state,
            expires_at=expires_at,
            earned_at=earned_at,
            lot_id=lot_id,
            most=most,
        )
        return [_lot(row) for row in found]

    return OpenLots(map(_lot, rows), read_to, further)


def _reached(customers: Collection[str], lots: Collection[Lot]) -> dict[Reach, Order | None]:
    """Tell how far the first active lots of each customer go; None where there are no more."""
    found: dict[str, list[Order]] = {name: [] for name in customers}
    for lot in lots:
        found[lot.customer_id].append(lot.order)
    return {
        (name, ACTIVE): max(orders) if len(orders) == FIRST else None
        for name, orders in found.items()
    }


def _lot(row: dict[str, Any]) -> Lot:
    lot = Lot(*[row[name] for name in _COLUMNS])
    lot.stood = lot.remaining
    return lot


def _asked(names: Collection[str]) -> str:
    return json.dumps(sorted(names))
