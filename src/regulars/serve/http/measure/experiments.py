"""Experiments of a workspace, under way and over, and how large the next must be."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request

from regulars.measure.experiments.power import Sizing, size_experiment
from regulars.measure.running import Comparison, comparisons
from regulars.serve.http.door.guard import Caller

router = APIRouter()

Share = Annotated[float, Query(gt=0, lt=1)]


def today_of(caller: Caller) -> date:
    """Give the day it is in the workspace's zone."""
    return caller.now.astimezone(ZoneInfo(caller.workspace.settings.retailer.zone)).date()


@router.get("/api/measure/experiments", tags=["measure"])
def read_experiments(request: Request) -> list[Comparison]:
    """Every randomised comparison: the programme, campaigns, journeys and turns, with gates."""
    caller: Caller = request.state.caller
    with caller.workspace.reading() as engine:
        return comparisons(engine, today=today_of(caller))


@router.get("/api/measure/power", tags=["measure"])
def read_power(
    effect: float,
    variance: Annotated[float, Query(gt=0)],
    share: Share = 0.5,
    level: Share = 0.95,
    power: Share = 0.8,
    explained: Annotated[float, Query(ge=0, lt=1)] = 0.0,
    looks: Annotated[int, Query(ge=1, le=100)] = 1,
    per_day: Annotated[float | None, Query(gt=0)] = None,
) -> dict[str, Any]:
    """How many customers an experiment needs, arm by arm, and how many days that takes."""
    found: Sizing = size_experiment(
        effect,
        variance,
        share=share,
        level=level,
        power=power,
        explained=explained,
        looks=looks,
        per_day=per_day,
    )
    return asdict(found) | {"customers": found.customers}
