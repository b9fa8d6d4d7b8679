"""How far to trust what came: scores per source, the tracking plan, its coverage and breaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from ibis import _

from regulars.collect.quality.plan import Coverage, coverage
from regulars.collect.quality.plan.service import (
    FaultCount,
    KeptViolation,
    adopted_plan,
    fault_counts,
    kept_violations,
    observed_events,
    plan_versions,
)
from regulars.collect.quality.scores import QualityScore
from regulars.collect.quality.service import quality_by_source
from regulars.ports.engine import Reader

router = APIRouter()


@dataclass(frozen=True)
class PlanVersion:
    """One version of the plan.

    Attributes:
        version: 1 for the first adopted.
        adopted_at: When.
        actor: Who adopted it.
        events: Events it declares.
    """

    version: int
    adopted_at: str
    actor: str
    events: int


@dataclass(frozen=True)
class PlanInForce:
    """The plan events are held against.

    Attributes:
        version: Its version; 0 for the packaged one.
        event: Rules by event, as in the files of the plan.
        source: Rules by source.
        versions: Every version adopted, oldest first.
    """

    version: int
    event: Mapping[str, Any]
    source: Mapping[str, Any]
    versions: list[PlanVersion]


@dataclass(frozen=True)
class Breaches:
    """What breaks the plan.

    Attributes:
        counts: How often each fault came, most frequent first.
        rows: Single violations with the ids of their events, newest first.
    """

    counts: list[FaultCount]
    rows: list[KeptViolation]


@dataclass(frozen=True)
class MarkedCount:
    """Actors marked for the same reasons.

    Attributes:
        kind: device, customer, address or machine.
        reasons: Why, separated by spaces.
        actors: How many.
    """

    kind: str
    reasons: str
    actors: int


@dataclass(frozen=True)
class Anomalies:
    """Traffic no customer made.

    Attributes:
        turn: Turn whose marks are shown; None before the first.
        actors: Marked actors by kind and reasons.
        customers: Customers left out of effects.
        events: Events marked on arrival, by reasons.
    """

    turn: int | None
    actors: list[MarkedCount]
    customers: int
    events: dict[str, int]


def anomalies(engine: Reader) -> Anomalies:
    """Count what is marked.

    Returns:
        Zeros in a new workspace.
    """
    marked, customers = engine.table("marked_actors"), engine.table("marked_customers")
    scored = engine.table("actor_scores")
    [last] = engine.rows(scored.agg(turn=_.turn.max()))
    of_turn = marked.filter(_.turn == last["turn"])
    actors = of_turn.group_by("kind", "reasons").agg(actors=_.count())
    [left_out] = engine.rows(customers.filter(_.turn == last["turn"]).agg(n=_.count()))
    seen = engine.table("events").filter(_.marks.notnull())
    arrived = engine.rows(seen.group_by("marks").agg(events=_.count()).order_by("marks"))
    return Anomalies(
        last["turn"],
        [MarkedCount(**row) for row in engine.rows(actors.order_by("kind", "reasons"))],
        left_out["n"],
        {row["marks"]: row["events"] for row in arrived},
    )


@router.get("/api/collect/quality", tags=["collect"])
def read_quality(request: Request) -> list[QualityScore]:
    """Freshness, completeness, consistency, uniqueness and validity of every source."""
    caller = request.state.caller
    workspace = caller.workspace
    with workspace.reading() as engine:
        return quality_by_source(
            engine, workspace.state, now=caller.now, zone=workspace.settings.retailer.zone
        )


@router.get("/api/collect/plan", tags=["collect"])
def read_plan_in_force(request: Request) -> PlanInForce:
    """The tracking plan events are held against, and its versions."""
    state = request.state.caller.workspace.state
    held = adopted_plan(state)
    plain = msgspec.to_builtins(held.plan)
    versions = [
        PlanVersion(one.version, one.adopted_at, one.actor, len(one.plan.event))
        for one in plan_versions(state)
    ]
    return PlanInForce(held.version, plain.get("event", {}), plain.get("source", {}), versions)


@router.get("/api/collect/plan/coverage", tags=["collect"])
def read_coverage(request: Request, source: str = "") -> Coverage:
    """How much of what customers do is declared, and how much of that came."""
    state = request.state.caller.workspace.state
    return coverage(adopted_plan(state).plan, observed_events(state), source)


@router.get("/api/collect/plan/violations", tags=["collect"])
def read_violations(
    request: Request,
    source: str = "",
    label: str = "",
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Breaches:
    """What breaks the plan: counts, and single events with the value covered."""
    state = request.state.caller.workspace.state
    counts = [
        one
        for one in fault_counts(state)
        if source in {"", one.source} and label in {"", one.label}
    ]
    return Breaches(counts, kept_violations(state, source=source, label=label, most=most))


@router.get("/api/collect/anomalies", tags=["collect"])
def read_anomalies(request: Request) -> Anomalies:
    """Traffic no customer made: who is marked and why, what was marked on arrival."""
    with request.state.caller.workspace.reading() as engine:
        return anomalies(engine)
