"""What was collected: how much, how fresh, what was held back."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from ibis import _

from regulars.ports.engine import Reader

router = APIRouter()
MOST_REASONS = 12


@dataclass(frozen=True)
class Import:
    """All files that fed one table.

    Attributes:
        table: The fact table.
        files: Files that fed it.
        received: Rows in those files.
        stored: Rows that landed.
        duplicate: Rows that had landed before.
        quarantined: Rows held back.
        last_day: Latest day in the rows that landed.
    """

    table: str
    files: int
    received: int
    stored: int
    duplicate: int
    quarantined: int
    last_day: date | None


@dataclass(frozen=True)
class HeldBack:
    """Rows in quarantine for one reason.

    Attributes:
        table: The table they were meant for.
        reason: Reason code.
        rows: How many.
    """

    table: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Collected:
    """What the workspace holds.

    Attributes:
        customers: Customers with an order.
        orders: Orders stored.
        last_order_day: Day of the newest order; None without orders.
        imports: Per fact table, by name.
        held_back: Most frequent first.
    """

    customers: int
    orders: int
    last_order_day: date | None
    imports: list[Import]
    held_back: list[HeldBack]


def collected(engine: Reader) -> Collected:
    """Tell what the workspace holds and how fresh it is.

    Returns:
        Zeros and empty lists in a new workspace.
    """
    orders = engine.table("orders")
    [seen] = engine.rows(
        orders.agg(
            orders=_.count(), customers=_.customer_id.nunique(), last_day=_.business_date.max()
        )
    )
    imports = (
        engine
        .table("imports")
        .group_by("table")
        .agg(
            files=_.import_id.nunique(),
            received=_.received.sum(),
            stored=_.stored.sum(),
            duplicate=_.duplicate.sum(),
            quarantined=_.quarantined.sum(),
            last_day=_.last_day.max(),
        )
        .order_by("table")
    )
    held_back = (
        engine
        .table("quarantine")
        .group_by("table", "reason")
        .agg(rows=_.count())
        .order_by(_.rows.desc(), "table", "reason")
        .limit(MOST_REASONS)
    )
    return Collected(
        seen["customers"],
        seen["orders"],
        seen["last_day"],
        [Import(**row) for row in engine.rows(imports)],
        [HeldBack(**row) for row in engine.rows(held_back)],
    )


@router.get("/api/collect/state", tags=["collect"])
def read_state(request: Request) -> Collected:
    """What was collected: how much, how fresh, what was held back."""
    with request.state.caller.workspace.reading() as engine:
        return collected(engine)
