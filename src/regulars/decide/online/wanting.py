"""What one decision takes of what is shared, and what becomes of it when something has run out."""

from collections.abc import Set
from decimal import Decimal

import msgspec

from regulars.decide.online.cells.service import Cell, Cells
from regulars.decide.online.deciding import OnlineDecision
from regulars.decide.online.knowledge import Knowledge
from regulars.decide.online.sharing.service import CELL, MONEY, STOCK, Limit, Shares, Want

REASON = {MONEY: "budget", CELL: "budget", STOCK: "stock"}
"""Reason code of a decision by what had run out."""
SHORT = frozenset(REASON.values())


def counted(
    found: OnlineDecision, cells: Cells | None, segment: str, stocked: Set[str]
) -> OnlineDecision:
    """Say of a send which cell and which stock it is counted in.

    Args:
        found: A send.
        cells: Cells with a limit.
        segment: The customer's.
        stocked: Offers whose stock is taken now.

    Returns:
        The same send.
    """
    cell = Cell(segment, found.channel or "", found.offer_id or "")
    name = cell.name if cells and cell in cells.left else ""
    return msgspec.structs.replace(found, cell=name, takes_stock=found.offer_id in stocked)


def wants_of(found: OnlineDecision, cells: Cells | None, *, money: Decimal) -> list[Want]:
    """Give what a send takes.

    Args:
        found: What `counted` gave.
        cells: Cells with a limit.
        money: Most that decisions of a turn may take in all.

    Returns:
        Of all money, of its cell, of its stock.
    """
    cents = int(found.cost * 100)
    wants = [Want(Limit(found.turn, MONEY, ""), cents, int(money * 100))]
    if found.cell:
        most = cells.called.get(found.cell, 0) if cells else 0
        wants.append(Want(Limit(found.turn, CELL, found.cell), cents, most))
    if found.takes_stock and found.offer_id:
        wants.append(Want(Limit(0, STOCK, found.offer_id), 1))
    return wants


def without(found: OnlineDecision, reason: str) -> OnlineDecision:
    """Give the decision of a send that could not have what it takes: nothing is sent."""
    return msgspec.structs.replace(
        found, verdict="skip", reason=reason, cost=Decimal(0), cell="", takes_stock=False
    )


def closed_cells(
    knowledge: Knowledge, segment: str, shares: Shares | None = None
) -> dict[str, str]:
    """Close the actions a customer's cells have no money left for.

    Args:
        knowledge: Actions, and what the turn left of cells.
        segment: The customer's.
        shares: What had run out when it was asked for; None for what the turn left alone.

    Returns:
        The reason budget, by `offer:channel`.
    """
    cells = knowledge.cells
    if cells is None:
        return {}
    out = shares if shares is not None and shares.has_run_out else None
    return {
        one.action: REASON[CELL]
        for one in cells.limited_of(segment, knowledge.arms)
        if one.left < one.cents
        or (out is not None and out.is_out(Limit(knowledge.turn, CELL, one.cell), one.cents))
    }
