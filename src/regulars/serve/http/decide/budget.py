"""The plan of the money, what people pinned in it, and its reviews."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.adjust.autotune.service import unlearned
from regulars.decide.budget.curves import Cell
from regulars.decide.budget.obeying.service import (
    CellLimit,
    follow,
    leave,
    limit_cell,
    limits_of_people,
    planned_turns,
    require_limit,
    told,
    unlimit_cell,
)
from regulars.decide.budget.planning import Guards, Limits
from regulars.decide.budget.planning.service import Planned, plain, plan_workspace
from regulars.decide.budget.reviewing.periods import due
from regulars.decide.budget.reviewing.service import (
    Review,
    keep_review,
    pin,
    pins,
    reviews,
    unpin,
)
from regulars.govern.audit.service import anchor
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.numbers import MOST_NUMBER

router = APIRouter()


class OfCell(BaseModel):
    """A word about one cell, with why and until when."""

    model_config = ConfigDict(extra="forbid")

    segment: str = Field(min_length=1, max_length=200)
    channel: str = Field(min_length=1, max_length=200)
    offer_id: str = Field(min_length=1, max_length=200)
    why: str = Field(min_length=1, max_length=500)
    until: date | None = None


class Pinned(OfCell):
    """What a person decides a cell gets."""

    amount: Decimal = Field(ge=0, max_digits=18, decimal_places=2)


class Limited(OfCell):
    """A floor or a ceiling a person sets."""

    floor: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=2)
    ceiling: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=2)


class Followed(BaseModel):
    """That turns keep to the plan, with its shares."""

    model_config = ConfigDict(extra="forbid")

    flexible: float = 0.4
    reserve: float = 0.2
    risk: float = 0.5
    hurdle: float = Field(default=1.0, gt=0)
    of_turn: int = Field(default=0, ge=0, le=MOST_NUMBER)
    why: str = Field(min_length=1, max_length=500)
    until: date | None = None


class Left(BaseModel):
    """Why turns keep to the plan no longer."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=500)


class Reviewed(BaseModel):
    """A review asked for."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    note: str = Field(default="", max_length=500)


@router.get("/api/decide/plan", tags=["decide"])
def read_plan(
    request: Request,
    budget: float | None = None,
    flexible: float = 0.4,
    reserve: float = 0.2,
    risk: float = 0.5,
    hurdle: float = 1.0,
) -> dict[str, Any]:
    """Where the money of a turn would go: curves, shadow price, cells, what to find out next."""
    guards = Guards(flexible, reserve, risk, hurdle)
    return plain(planned(request.state.caller, budget, guards))


@router.get("/api/decide/pins", tags=["decide"])
def read_pins(request: Request) -> dict[str, Any]:
    """Cells a person decided on, with who, why and until when."""
    caller: Caller = request.state.caller
    found = pins(caller.workspace.state, now=caller.now)
    return {"pins": [{**one.cell._asdict(), **asdict(one), "cell": str(one.cell)} for one in found]}


@router.put("/api/decide/pins", tags=["decide"])
def put_pin(request: Request, said: Pinned) -> dict[str, Any]:
    """Decide what a cell gets in a turn; plans keep to it."""
    pin_of(request.state.caller, said)
    return said.model_dump(mode="json")


@router.delete("/api/decide/pins", tags=["decide"])
def delete_pin(request: Request, segment: str, channel: str, offer_id: str) -> dict[str, Any]:
    """Take a pin away."""
    return {"was_pinned": unpin_of(request.state.caller, Cell(segment, channel, offer_id))}


@router.get("/api/decide/plan/followed", tags=["decide"])
def read_followed(request: Request) -> dict[str, Any]:
    """Whether turns keep to the plan, what was said of it, floors and ceilings."""
    caller: Caller = request.state.caller
    return told(caller.workspace.state, now=caller.now)


@router.put("/api/decide/plan/followed", tags=["decide"])
def put_followed(request: Request, said: Followed) -> dict[str, Any]:
    """Let turns keep to the plan."""
    follow_of(request.state.caller, said)
    return said.model_dump(mode="json")


@router.post("/api/decide/plan/left", tags=["decide"])
def post_left(request: Request, said: Left) -> dict[str, Any]:
    """Let turns spend as they find best again; pins, floors and ceilings stay."""
    return {"was_followed": leave_of(request.state.caller, said.why)}


@router.put("/api/decide/limits", tags=["decide"])
def put_limit(request: Request, said: Limited) -> dict[str, Any]:
    """Set a floor or a ceiling for a cell; turns and plans keep to it."""
    limit_of(request.state.caller, said)
    return said.model_dump(mode="json")


@router.post("/api/decide/limits/try", tags=["decide"])
def try_limit(request: Request, said: Limited) -> dict[str, Any]:
    """What a floor or a ceiling would cost: the plan with and without it. Nothing is kept."""
    caller: Caller = request.state.caller
    found = priced(caller, said)
    return {"without": _summed(found[0]), "with": _summed(found[1])}


@router.delete("/api/decide/limits", tags=["decide"])
def delete_limit(request: Request, segment: str, channel: str, offer_id: str) -> dict[str, Any]:
    """Take floor and ceiling of a cell away."""
    return {"was_limited": unlimit_of(request.state.caller, Cell(segment, channel, offer_id))}


@router.get("/api/decide/reviews", tags=["decide"])
def read_reviews(request: Request) -> dict[str, Any]:
    """Reviews made, the newest first, and those that are due."""
    kept, missing = reviews_of(request.state.caller)
    return {"reviews": [asdict(one) for one in kept], "due": missing}


@router.post("/api/decide/reviews", tags=["decide"])
def post_review(request: Request, asked: Reviewed) -> dict[str, Any]:
    """Keep the review of this month, quarter or year; one made already is given back."""
    return asdict(review_of(request.state.caller, asked))


def planned(
    caller: Caller,
    budget: float | None,
    guards: Guards,
    *,
    tried: Mapping[Cell, Limits] | None = None,
) -> Planned:
    """Plan the money of a turn in the workspace of a caller.

    Args:
        caller: Who asks, and in which workspace.
        budget: Money of the turn; None for what the workspace may spend.
        guards: Shares, risk and hurdle.
        tried: Limits to try beside those in force, and instead of them where a cell has some.

    Returns:
        The plan, pins kept to.

    Raises:
        NotReady: No turn has been measured by cell yet.
        InputError: The budget is negative, or pins come to more than may be spent.
    """
    workspace = caller.workspace
    wanted = float(workspace.settings.loop.weekly_budget) if budget is None else budget
    limits = {**limits_of_people(workspace.state, now=caller.now), **(tried or {})}
    left_out = {one.turn for one in unlearned(workspace.state)}
    with workspace.reading() as engine:
        return plan_workspace(
            engine, budget=wanted, guards=guards, limits=limits, left_out=left_out
        )


def priced(caller: Caller, said: Limited) -> tuple[Planned, Planned]:
    """Plan without and with a floor or a ceiling that is not set yet.

    Args:
        caller: Who asks, and in which workspace.
        said: The limit; where the cell is pinned the pin would still stand.

    Returns:
        The plan as it is, and as it would be: what the limit costs is the difference in margin
        after the money.

    Raises:
        InputError: It is no limit, or leaves no plan within what may be spent.
        NotReady: No turn has been measured by cell yet.
    """
    one = CellLimit(
        Cell(said.segment, said.channel, said.offer_id),
        said.floor,
        said.ceiling,
        said.why,
        caller.actor,
    )
    require_limit(one)
    state = caller.workspace.state
    held = {pinned.cell for pinned in pins(state, now=caller.now)}
    most = float("inf") if one.ceiling is None else float(one.ceiling)
    tried = {one.cell: Limits(float(one.floor or 0), most)} if one.cell not in held else {}
    guards = Guards()
    return planned(caller, None, guards), planned(caller, None, guards, tried=tried)


def _summed(found: Planned) -> dict[str, float]:
    plan = found.plan
    return {
        "spend": plan.spend,
        "expected": plan.expected,
        "net": plan.expected - plan.spend,
        "shadow_price": plan.shadow_price,
    }


def pin_of(caller: Caller, said: Pinned) -> None:
    """Put down what a person decided a cell gets.

    Args:
        caller: Who decides, and in which workspace.
        said: The pin; it ends with the last moment of its day, where the retailer is.
    """
    workspace = caller.workspace
    cell = Cell(said.segment, said.channel, said.offer_id)
    pin(
        workspace.state,
        cell,
        said.amount,
        why=said.why,
        actor=caller.actor,
        now=caller.now,
        until=_end(caller, said.until),
    )
    _anchored(caller)


def follow_of(caller: Caller, said: Followed) -> None:
    """Let turns keep to the plan.

    Args:
        caller: Who decides, and in which workspace.
        said: Shares of the plan, why and until when.

    Raises:
        InputError: The turn to go by planned nothing.
    """
    workspace = caller.workspace
    with workspace.reading() as engine:
        known = planned_turns(engine) if said.of_turn else []
    follow(
        workspace.state,
        Guards(said.flexible, said.reserve, said.risk, said.hurdle),
        why=said.why,
        actor=caller.actor,
        now=caller.now,
        of_turn=said.of_turn,
        planned=known,
        until=_end(caller, said.until),
    )
    _anchored(caller)


def leave_of(caller: Caller, why: str) -> bool:
    """Let turns spend as they find best again.

    Returns:
        False when no plan was kept to.
    """
    was_followed = leave(caller.workspace.state, why=why, actor=caller.actor, now=caller.now)
    return _anchored(caller, was_followed)


def limit_of(caller: Caller, said: Limited) -> None:
    """Set a floor or a ceiling.

    Args:
        caller: Who decides, and in which workspace.
        said: The limit; it ends with the last moment of its day, where the retailer is.
    """
    workspace = caller.workspace
    cell = Cell(said.segment, said.channel, said.offer_id)
    one = CellLimit(cell, said.floor, said.ceiling, said.why, caller.actor)
    limit_cell(workspace.state, one, now=caller.now, until=_end(caller, said.until))
    _anchored(caller)


def unlimit_of(caller: Caller, cell: Cell) -> bool:
    """Take floor and ceiling of a cell away.

    Returns:
        False when there was none.
    """
    state = caller.workspace.state
    return _anchored(caller, unlimit_cell(state, cell, actor=caller.actor, now=caller.now))


def unpin_of(caller: Caller, cell: Cell) -> bool:
    """Take a pin away.

    Returns:
        False when there was none.
    """
    state = caller.workspace.state
    return _anchored(caller, unpin(state, cell, actor=caller.actor, now=caller.now))


def review_of(caller: Caller, asked: Reviewed) -> Review:
    """Keep the review of this month, quarter or year.

    Args:
        caller: Who reviews, and in which workspace.
        asked: Which kind, and what else is to be kept.

    Returns:
        The review; the one there is when the period has been reviewed already.
    """
    workspace, found = caller.workspace, planned(caller, None, Guards())
    kept = keep_review(
        workspace.state,
        asked.kind,
        found.plan,
        list(found.tests),
        today=_today(caller),
        actor=caller.actor,
        now=caller.now,
        note=asked.note,
    )
    _anchored(caller)
    return kept


def reviews_of(caller: Caller) -> tuple[list[Review], list[tuple[str, str]]]:
    """Give the reviews made, the newest first, and kind and period of those that are due."""
    kept = reviews(caller.workspace.state)
    return kept, due([(one.kind, one.period) for one in kept], _today(caller))


def _anchored(caller: Caller, is_changed: bool = True) -> bool:
    """Anchor the audit log where something changed; gives whether it did."""
    if is_changed:
        workspace = caller.workspace
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return is_changed


def _end(caller: Caller, last: date | None) -> datetime | None:
    """Give the last moment of a day, where the retailer is."""
    zone = ZoneInfo(caller.workspace.settings.retailer.zone)
    return datetime.combine(last, time.max, zone) if last else None


def _today(caller: Caller) -> date:
    return caller.now.astimezone(ZoneInfo(caller.workspace.settings.retailer.zone)).date()
