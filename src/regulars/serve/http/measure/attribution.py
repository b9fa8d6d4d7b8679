"""Attribution over HTTP: orders attributed to creators, by code or by link."""

from datetime import timedelta

from fastapi import APIRouter, Query, Request

from regulars.measure.attribution.service import (
    MOST_WINDOW_DAYS,
    WINDOW_DAYS,
    Attribution,
    attribute_orders,
)
from regulars.serve.http.door.guard import Caller

router = APIRouter()
DAYS = 30


@router.get("/api/measure/attribution", tags=["measure"])
def read_attribution(
    request: Request,
    days: int = Query(default=DAYS, ge=1, le=3_660),
    window: int = Query(default=WINDOW_DAYS, ge=1, le=MOST_WINDOW_DAYS),
) -> Attribution:
    """What is attributed to each creator: the code on the order, else the last link followed."""
    return attributed(request.state.caller, days=days, window=window)


def attributed(caller: Caller, *, days: int, window: int) -> Attribution:
    """Attribute the orders of the last days.

    Args:
        caller: Whose workspace, and the moment.
        days: Days of orders.
        window: Days before an order in which a link counts.

    Returns:
        The attribution, up to now.
    """
    workspace = caller.workspace
    with workspace.reading() as engine:
        return attribute_orders(
            engine,
            workspace.state,
            workspace.settings,
            since=caller.now - timedelta(days=days),
            until=caller.now,
            window_days=window,
        )
