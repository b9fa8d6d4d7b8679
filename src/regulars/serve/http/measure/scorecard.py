"""How the shop is doing: the scorecard, and the rows behind each of its numbers."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Request

from regulars.errors import InputError
from regulars.govern.access import Role, covers
from regulars.govern.masking import mask_id
from regulars.measure.scorecard.service import last_whole_day, shop_rows, shop_scorecard
from regulars.measure.scorecard.telling import told
from regulars.serve.http.door.guard import Caller

router = APIRouter()
MOST_ROWS = 1000


@router.get("/api/measure/scorecard", tags=["measure"])
def read_scorecard(request: Request, until: str = "", days: int = 28) -> dict[str, Any]:
    """Every indicator over the last days, defined, beside the period before."""
    caller: Caller = request.state.caller
    last = until_of(caller, until)
    retailer = caller.workspace.settings.retailer
    with caller.workspace.reading() as engine:
        found = shop_scorecard(
            engine, caller.workspace.state, zone=retailer.zone, until=last, days=days
        )
    return told(found, locale=caller.locale, currency=retailer.currency)


@router.get("/api/measure/scorecard/{indicator}/rows", tags=["measure"])
def read_rows(
    request: Request, indicator: str, until: str = "", days: int = 28, limit: int = 100
) -> dict[str, Any]:
    """Which customers and orders make a number; who may not uncover customers sees masked ids."""
    caller: Caller = request.state.caller
    rows = rows_for(caller, indicator, until=until_of(caller, until), days=days, limit=limit)
    return {"indicator": indicator, "rows": rows}


def until_of(caller: Caller, text: str) -> date:
    """Read the last day of a period.

    Args:
        caller: Whose workspace's zone counts.
        text: ISO day; "" for the last whole day.

    Returns:
        The day.

    Raises:
        InputError: It is no day, or not over yet.
    """
    newest = last_whole_day(caller.now, zone=caller.workspace.settings.retailer.zone)
    if not text:
        return newest
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"until is {text!r}, must be a day such as {newest}") from None
    if day > newest:
        raise InputError(f"until is {day}, which is not over yet; the last whole day is {newest}")
    return day


def rows_for(
    caller: Caller, indicator: str, *, until: date, days: int, limit: int
) -> list[dict[str, Any]]:
    """Give the rows of an indicator as far as the caller may see them.

    Args:
        caller: Who asks; below analyst, customer and order ids are masked.
        indicator: Which.
        until: Last day of the period.
        days: Days of the period.
        limit: Most rows, 1000 at most.

    Returns:
        Rows: customer_id, order_id, day, amount, weight.

    Raises:
        UnknownName: There is no such indicator.
    """  # noqa: DOC502 (raised by indicator_rows)
    workspace = caller.workspace
    with workspace.reading() as engine:
        rows = shop_rows(
            engine,
            workspace.state,
            indicator,
            zone=workspace.settings.retailer.zone,
            until=until,
            days=days,
            limit=min(max(limit, 1), MOST_ROWS),
        )
    may_see = caller.role is not None and covers(caller.role, Role.ANALYST)
    return [_shown(row, may_see=may_see) for row in rows]


def _shown(row: dict[str, Any], *, may_see: bool) -> dict[str, Any]:
    ids = {
        name: row[name] if may_see or row[name] is None else mask_id(row[name])
        for name in ("customer_id", "order_id")
    }
    return ids | {
        "day": row["day"].isoformat(),
        "amount": float(row["amount"]),
        "weight": row["weight"],
    }
