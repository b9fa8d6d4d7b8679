"""Journeys over HTTP: keep, compare, submit, publish, take back, pause, stop, and watch them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.reach.campaigns.changes import Change
from regulars.reach.journeys.definition.reading import read_journey
from regulars.reach.journeys.keeping.publishing.service import Published
from regulars.reach.journeys.keeping.service import (
    JourneyRow,
    Standing,
    compare,
    compared,
    find_journey,
    list_journeys,
    standing_at,
)
from regulars.reach.journeys.telling.service import Flow, Told, flow_of, stays_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.reach.campaigns import Noted, Reasoned
from regulars.serve.sending.journeys import acting

router = APIRouter()


class Moved(BaseModel):
    """What becomes of those inside."""

    model_config = ConfigDict(extra="forbid")

    moves: dict[str, str] = Field(default_factory=dict, max_length=200)


class TakenBack(Moved):
    """Which version to go back to, and what becomes of those inside."""

    to: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class JourneyTold:
    """A journey as it stands.

    Attributes:
        journey: Its id.
        name: What people call it.
        state: draft, running, paused or stopped.
        reason: Why it was paused or stopped; "" otherwise.
        version: Version customers come in by; None before the first was published.
        newest: Version kept last.
        changed_at: When it last changed, ISO 8601.
        definition: What the newest version's file says; left out of lists.
    """

    journey: str
    name: str
    state: str
    reason: str
    version: int | None
    newest: int
    changed_at: str
    definition: Mapping[str, Any] | None = None


@router.get("/api/reach/journeys", tags=["reach"])
def read_journeys(request: Request) -> list[JourneyTold]:
    """Every journey, the one changed last first."""
    return [_told(row) for row in list_journeys(_caller(request).workspace.state)]


@router.get("/api/reach/journeys/{journey_id}", tags=["reach"])
def read_one(request: Request, journey_id: str) -> JourneyTold:
    """One journey as it stands, with what its newest version says."""
    row = find_journey(_caller(request).workspace.state, journey_id)
    return _told(row, row.newest.given)


@router.put("/api/reach/journeys/{journey_id}", tags=["reach"])
def keep_journey(request: Request, journey_id: str, given: dict[str, Any]) -> JourneyTold:
    """Keep a journey: a new one, or the next version; nobody walks by it yet."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return _told(
            acting.put(app, given | {"id": journey_id}, actor=caller.actor, now=caller.now)
        )


@router.get("/api/reach/journeys/{journey_id}/changes", tags=["reach"])
def read_changes(
    request: Request, journey_id: str, before: int | None = None, after: int | None = None
) -> list[Change]:
    """What changed between two versions; by default from the current one to the newest."""
    state = _caller(request).workspace.state
    return compare(state, journey_id, before=before, after=after)


@router.post("/api/reach/journeys/{journey_id}/changes", tags=["reach"])
def would_change(request: Request, journey_id: str, given: dict[str, Any]) -> list[Change]:
    """What a written journey would change of the current version; nothing is kept."""
    with _caller(request).workspace.holding() as app:
        journey = read_journey(given | {"id": journey_id}, acting.ground_of(app))
        known = {row.id: row for row in list_journeys(app.state)}
        return compared(known[journey.id].current.journey if journey.id in known else None, journey)


@router.get("/api/reach/journeys/{journey_id}/flow", tags=["reach"])
def read_flow(request: Request, journey_id: str) -> Flow:
    """A journey in numbers: who came, who stands where, which ways were gone how often."""
    return flow_of(_caller(request).workspace.state, journey_id)


@router.get("/api/reach/journeys/{journey_id}/standing", tags=["reach"])
def read_standing(request: Request, journey_id: str) -> list[Standing]:
    """How many customers stand at which node of which version."""
    return standing_at(_caller(request).workspace.state, journey_id)


@router.get("/api/reach/customers/{customer_id}/journeys", tags=["reach"])
def read_stays(request: Request, customer_id: str) -> list[Told]:
    """Where a customer went in every journey, step by step."""
    return stays_of(_caller(request).workspace.state, customer_id)


@router.post("/api/reach/journeys/{journey_id}/submit", tags=["reach"])
def submit(request: Request, journey_id: str, said: Noted) -> dict[str, int]:
    """Ask for approval of the newest version as it stands now."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        number = acting.submit(app, journey_id, actor=caller.actor, now=caller.now, note=said.note)
    return {"request": number}


@router.post("/api/reach/journeys/{journey_id}/publish", tags=["reach"])
def publish(request: Request, journey_id: str, given: Moved) -> Published:
    """Let customers come in by the newest version, and say what becomes of those inside."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return acting.publish(
            app, journey_id, moves=given.moves, actor=caller.actor, now=caller.now
        )


@router.post("/api/reach/journeys/{journey_id}/rollback", tags=["reach"])
def rollback(request: Request, journey_id: str, given: TakenBack) -> Published:
    """Put the version before in the place of the current one; those who were moved go back."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return acting.roll_back(
            app, journey_id, moves=given.moves, actor=caller.actor, now=caller.now, to=given.to
        )


@router.post("/api/reach/journeys/{journey_id}/pause", tags=["reach"])
def pause(request: Request, journey_id: str, why: Reasoned) -> JourneyTold:
    """Let nobody go on, and hold the journey's contacts; what happens meanwhile counts."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        row = acting.pause(app, journey_id, reason=why.reason, actor=caller.actor, now=caller.now)
    return _told(row)


@router.post("/api/reach/journeys/{journey_id}/resume", tags=["reach"])
def resume(request: Request, journey_id: str) -> JourneyTold:
    """Let a paused journey go on where it stood."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return _told(acting.resume(app, journey_id, actor=caller.actor, now=caller.now))


@router.post("/api/reach/journeys/{journey_id}/stop", tags=["reach"])
def stop(request: Request, journey_id: str, why: Reasoned) -> JourneyTold:
    """End a journey for good: nobody comes in or goes on, no contact of it goes out."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        row = acting.stop(app, journey_id, reason=why.reason, actor=caller.actor, now=caller.now)
    return _told(row)


def _told(row: JourneyRow, definition: Mapping[str, Any] | None = None) -> JourneyTold:
    return JourneyTold(
        row.id,
        row.current.journey.name,
        row.state.value,
        row.reason,
        row.version,
        row.newest.version,
        row.changed_at,
        definition,
    )


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
