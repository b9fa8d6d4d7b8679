"""Experiments people write: kept, planned, started, stopped, read and concluded."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.app import App
from regulars.errors import InputError
from regulars.measure.experiments.keeping.definition import Definition, definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.reading.service import (
    Shop,
    conclude,
    power_plan,
    show,
    start,
    take_look,
)
from regulars.measure.experiments.keeping.reading.showing import Shown
from regulars.measure.experiments.keeping.record import (
    Change,
    Conclusion,
    Decision,
    Kept,
    plain,
)
from regulars.measure.experiments.keeping.service import (
    changes_of,
    counts_by_experiment,
    drop_draft,
    find_experiment,
    list_kept,
    put_experiment,
    stop_experiment,
)
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Started(BaseModel):
    """That an experiment may take customers."""

    model_config = ConfigDict(extra="forbid")

    anyway: str = Field(default="", max_length=500)
    edited_at: str = Field(default="", max_length=40)


class Stopped(BaseModel):
    """That it takes no more."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class Concluded(BaseModel):
    """What follows from it."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision
    variant: str = Field(default="", max_length=100)
    says: str = Field(min_length=1, max_length=1000)
    anyway: str = Field(default="", max_length=500)


@dataclass(frozen=True)
class View:
    """One experiment as it stands, what it says and who changed it.

    Attributes:
        kept: The experiment.
        shown: What it says, or why nothing.
        changes: Its changes, the oldest first.
    """

    kept: Kept
    shown: Shown
    changes: tuple[Change, ...]


def told(kept: Kept) -> dict[str, Any]:
    """Give an experiment as JSON, its definition as a file would hold it."""
    parts: dict[str, Any] = plain(kept)
    return parts | {"definition": kept.definition.told()}


def told_view(view: View) -> dict[str, Any]:
    """Give an experiment with what it says as JSON."""
    shown = plain(view.shown) | {"is_refused": view.shown.is_refused}
    return told(view.kept) | {"readout": shown, "changes": plain(view.changes)}


def reading_of(app: App) -> Shop:
    """Give what reading experiments takes of a workspace."""
    loop, zone = app.settings.loop, app.settings.retailer.zone
    return Shop(app.engine, app.state, zone, loop.margin_rate, loop.global_holdout)


def view_of(caller: Caller, experiment_id: str) -> View:
    """Give one experiment as it stands and what it says.

    Args:
        caller: Who asks, and in which workspace.
        experiment_id: The experiment.

    Returns:
        The view; no look is taken.
    """
    with caller.workspace.holding() as app:
        kept = find_experiment(app.state, experiment_id)
        shown = show(reading_of(app), kept, now=caller.now)
        return View(kept, shown, tuple(changes_of(app.state, experiment_id)))


def plan_of(caller: Caller, definition: Definition) -> PowerPlan:
    """Say how many customers and days an experiment needs."""
    with caller.workspace.holding() as app:
        return power_plan(reading_of(app), definition, now=caller.now)


def put_of(caller: Caller, definition: Definition) -> Kept:
    """Keep a draft."""
    return put_experiment(caller.workspace.state, definition, actor=caller.actor, now=caller.now)


def start_of(caller: Caller, experiment_id: str, anyway: str, *, seen_at: str) -> Kept:
    """Let an experiment take customers, from the next one on."""
    with caller.workspace.holding() as app:
        shop = reading_of(app)
        found = start(
            shop,
            experiment_id,
            actor=caller.actor,
            now=caller.now,
            anyway=anyway,
            seen_at=seen_at,
        )
    caller.workspace.exposing.forget()
    return found


def look_of(caller: Caller, experiment_id: str) -> Shown:
    """Take the look that is due."""
    caller.workspace.exposing.flush()
    with caller.workspace.holding() as app:
        return take_look(reading_of(app), experiment_id, actor=caller.actor, now=caller.now)


def stop_of(caller: Caller, experiment_id: str, reason: str) -> Kept:
    """Take no more customers."""
    workspace = caller.workspace
    # Who was given a variant before this moment is counted.
    workspace.exposing.flush()
    found = stop_experiment(
        workspace.state, experiment_id, reason=reason, actor=caller.actor, now=caller.now
    )
    workspace.exposing.forget()
    return found


def conclude_of(caller: Caller, experiment_id: str, ended: Concluded) -> Conclusion:
    """Decide what follows from a stopped experiment."""
    with caller.workspace.holding() as app:
        return conclude(
            reading_of(app),
            experiment_id,
            ended.decision,
            variant=ended.variant,
            says=ended.says,
            anyway=ended.anyway,
            actor=caller.actor,
            now=caller.now,
        )


@router.get("/api/measure/experiments/written", tags=["measure"])
def read_written(request: Request) -> dict[str, Any]:
    """The experiments people wrote, with who takes part so far."""
    state = request.state.caller.workspace.state
    counts = counts_by_experiment(state)
    rows = [told(one) | {"counts": counts.get(one.definition.id, {})} for one in list_kept(state)]
    return {"experiments": rows}


@router.post("/api/measure/experiments/plan", tags=["measure"])
def post_plan(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """How many customers and days an experiment would need; nothing is kept."""
    definition = definition_of(given)
    return {"plan": plain(plan_of(request.state.caller, definition))}


@router.get("/api/measure/experiments/{experiment_id}", tags=["measure"])
def read_experiment(request: Request, experiment_id: str) -> dict[str, Any]:
    """One experiment: what was settled, how far it has come, what it says or why nothing."""
    return told_view(view_of(request.state.caller, experiment_id))


@router.put("/api/measure/experiments/{experiment_id}", tags=["measure"])
def put_draft(request: Request, experiment_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Keep a draft; one that has started is locked."""
    definition = definition_of({"id": experiment_id} | given)
    if definition.id != experiment_id:
        raise InputError(f"id is {definition.id!r} in the body and {experiment_id!r} in the path")
    return told(put_of(request.state.caller, definition))


@router.delete("/api/measure/experiments/{experiment_id}", tags=["measure"])
def delete_draft(request: Request, experiment_id: str) -> dict[str, Any]:
    """Throw a draft away."""
    caller: Caller = request.state.caller
    drop_draft(caller.workspace.state, experiment_id, actor=caller.actor, now=caller.now)
    return {"experiment_id": experiment_id, "dropped": True}


@router.get("/api/measure/experiments/{experiment_id}/plan", tags=["measure"])
def read_plan(request: Request, experiment_id: str) -> dict[str, Any]:
    """How many customers and days it needs, by what is known today."""
    caller: Caller = request.state.caller
    definition = find_experiment(caller.workspace.state, experiment_id).definition
    return {"plan": plain(plan_of(caller, definition))}


@router.post("/api/measure/experiments/{experiment_id}/start", tags=["measure"])
def post_start(request: Request, experiment_id: str, started: Started) -> dict[str, Any]:
    """Let it take customers; with `edited_at` only as it was written then."""
    caller: Caller = request.state.caller
    return told(start_of(caller, experiment_id, started.anyway, seen_at=started.edited_at))


@router.post("/api/measure/experiments/{experiment_id}/look", tags=["measure"])
def post_look(request: Request, experiment_id: str) -> dict[str, Any]:
    """Take the look that is due; everybody is shown what it says."""
    look_of(request.state.caller, experiment_id)
    return told_view(view_of(request.state.caller, experiment_id))


@router.post("/api/measure/experiments/{experiment_id}/stop", tags=["measure"])
def post_stop(request: Request, experiment_id: str, stopped: Stopped) -> dict[str, Any]:
    """Take no more customers."""
    return told(stop_of(request.state.caller, experiment_id, stopped.reason))


@router.post("/api/measure/experiments/{experiment_id}/conclude", tags=["measure"])
def post_conclude(request: Request, experiment_id: str, ended: Concluded) -> dict[str, Any]:
    """Decide what follows from it; it is kept among what was learned."""
    found = conclude_of(request.state.caller, experiment_id, ended)
    return {"conclusion": plain(found)}
