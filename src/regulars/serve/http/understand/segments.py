"""Audiences over HTTP: counted while written, listed, compared, kept, followed, exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from ibis import _
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import NotAllowed
from regulars.govern.audit.service import anchor
from regulars.govern.masking import mask_name
from regulars.govern.protection.tokens import is_token
from regulars.ports.engine import Reader
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace
from regulars.understand.segments.audiences import service
from regulars.understand.segments.audiences.definition import Audience, lineage, read_audience
from regulars.understand.segments.audiences.exporting.service import (
    USUAL,
    Wish,
    export,
    exported_at,
)
from regulars.understand.segments.audiences.judging.service import Place
from regulars.understand.segments.audiences.live import service as live
from regulars.understand.segments.audiences.live.service import AudienceCount, Overlap
from regulars.understand.segments.audiences.membership.service import (
    MemberChange,
    RefreshCount,
    changes,
    history,
    last_refreshed,
)
from regulars.understand.segments.audiences.refreshing.service import Refresh, refresh
from regulars.understand.segments.audiences.starting import BUYING_TYPES, STARTS

router = APIRouter()
SAMPLE = 10
MOST_LISTED = 100_000
_ROOM = "/api/understand/segments"


@dataclass(frozen=True)
class AudienceRow:
    """One audience as it is shown.

    Attributes:
        name: What everybody calls it.
        rule: Its rule as JSON.
        description: What it is for.
        owner: Who answers for it.
        version: 1 for the first.
        lineage: What it is read from.
        members: Members as of its last refresh; None before the first.
        refreshed_at: The moment of the last refresh, ISO 8601; None before the first.
    """

    name: str
    rule: dict[str, Any]
    description: str
    owner: str
    version: int
    lineage: list[str]
    members: int | None
    refreshed_at: str | None


@dataclass(frozen=True)
class AudienceHistory:
    """One audience with all it has been.

    Attributes:
        audience: The audience now.
        versions: Version, moment, actor and rule of each, the oldest first.
        refreshes: Who entered and left, refresh by refresh, the oldest first.
    """

    audience: AudienceRow
    versions: list[dict[str, Any]]
    refreshes: list[RefreshCount]


@dataclass(frozen=True)
class AudienceLook:
    """A rule looked at now.

    Attributes:
        count: How many customers it holds for.
        sample: A few of them, names covered.
        lineage: What it is read from.
    """

    count: AudienceCount
    sample: list[dict[str, Any]]
    lineage: list[str]


@dataclass(frozen=True)
class AudienceMembers:
    """Whom a rule holds for now.

    Attributes:
        count: How many.
        members: Customer ids in order; the first 100,000.
    """

    count: int
    members: list[str]


class Ruled(BaseModel):
    """A rule as somebody writes it."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any]


class Written(Ruled):
    """An audience as somebody writes it."""

    description: str = Field(default="", max_length=500)
    owner: str = Field(default="", max_length=64)


class TakenBack(BaseModel):
    """Which version is wanted back."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)


class Exported(BaseModel):
    """What is to be exported."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] = Field(default_factory=lambda: list(USUAL), max_length=40)
    clear: bool = False
    reason: str = Field(default="", max_length=500)


def place_of(caller: Caller) -> Place:
    """Say where a workspace stands in time."""
    settings = caller.workspace.settings
    return Place(settings.retailer.zone, settings.loop.turn_days, caller.now)


def audience_rows(workspace: Workspace) -> list[AudienceRow]:
    """Give every audience with its members as of its last refresh, by name."""
    sizes = last_refreshed(workspace.state)
    return [_row(one, sizes) for one in service.list_audiences(workspace.state)]


def look_at(caller: Caller, audience: Audience, *, most: int = SAMPLE) -> AudienceLook:
    """Count whom a rule holds for, with a covered sample; nothing is kept.

    Args:
        caller: Who asks, and in which workspace.
        audience: The audience, kept or still being written.
        most: Rows of the sample.

    Returns:
        The count; contact data never leaves uncovered.
    """
    state, place = caller.workspace.state, place_of(caller)
    with caller.workspace.reading() as engine:
        counted = live.count(engine, state, audience.rule, place=place)
        few = live.sample(engine, state, audience.rule, place=place, most=most) if most else []
        names = _names(engine, [row["customer_id"] for row in few])
    shown = [{"name": names.get(row["customer_id"], ""), **row} for row in few]
    return AudienceLook(counted, shown, lineage(audience.rule))


def compared(caller: Caller, audience: Audience, *, leave_out: str = "") -> list[Overlap]:
    """Compare an audience with those there are."""
    state, place = caller.workspace.state, place_of(caller)
    with caller.workspace.reading() as engine:
        return live.overlaps(engine, state, audience.rule, place=place, leave_out=leave_out)


def keep_written(caller: Caller, audience: Audience) -> AudienceRow:
    """Keep an audience as it was written: a new one, or the next version of one there is."""
    state = caller.workspace.state
    kept = service.keep_audience(state, audience, actor=caller.actor, now=caller.now)
    _anchor(caller)
    return _row(kept, last_refreshed(state))


def refreshed(caller: Caller, names: Sequence[str]) -> Refresh:
    """Judge audiences again, and note who entered and who left."""
    state, place = caller.workspace.state, place_of(caller)
    with caller.workspace.holding() as app:
        return refresh(app.engine, state, app.lake, place=place, names=names)


def taken_back(caller: Caller, name: str, version: int) -> AudienceRow:
    """Make an earlier version the newest again."""
    state = caller.workspace.state
    kept = service.take_back(state, name, version, actor=caller.actor, now=caller.now)
    _anchor(caller)
    return _row(kept, last_refreshed(state))


def deleted(caller: Caller, name: str) -> None:
    """Delete an audience; its versions and its history stay readable."""
    service.delete_audience(caller.workspace.state, name, actor=caller.actor, now=caller.now)
    _anchor(caller)


def exported(caller: Caller, name: str, wanted: Exported) -> Response:
    """Export an audience as a CSV file, on record.

    Returns:
        The file, which no browser keeps.

    Raises:
        NotAllowed: The caller's role may not.
    """
    workspace = caller.workspace
    if caller.role is None:
        raise NotAllowed("role", "nobody is signed in; sign in as a marketer")
    audience = service.find_audience(workspace.state, name)
    wish = Wish(caller.actor, caller.role, tuple(wanted.columns), wanted.clear, wanted.reason)
    with workspace.reading() as engine:
        text = export(
            engine,
            workspace.state,
            audience,
            wish,
            place=place_of(caller),
            protector=workspace.protector,
        )
    _anchor(caller)
    file = exported_at(caller.now, name)
    # The mark at the beginning tells spreadsheets that the text is UTF-8.
    return Response(
        ("\ufeff" + text).encode(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{file}"',
            "Cache-Control": "no-store",
        },
    )


def begun(workspace: Workspace, key: str) -> dict[str, Any]:
    """Give the rule a starting point begins with."""
    with workspace.reading() as engine:
        return live.started(engine, key)


def _row(audience: Audience, sizes: dict[str, tuple[int, str]]) -> AudienceRow:
    members, at = sizes.get(audience.name, (None, None))
    return AudienceRow(
        audience.name,
        dict(audience.given),
        audience.description,
        audience.owner,
        audience.version,
        lineage(audience.rule),
        members,
        at,
    )


def _names(engine: Reader, customers: Sequence[str]) -> dict[str, str]:
    known = engine.table("customers").filter(_.customer_id.isin(list(customers)))
    rows = engine.rows(known.select("customer_id", "name")) if customers else []
    return {
        row["customer_id"]: "****" if is_token(row["name"]) else mask_name(row["name"])
        for row in rows
        if row["name"]
    }


def _anchor(caller: Caller) -> None:
    anchor(caller.workspace.state, folder=caller.workspace.folder, at=caller.now)


@router.get(_ROOM, tags=["understand"])
def read_audiences(request: Request) -> list[AudienceRow]:
    """Every audience, with its members as of its last refresh."""
    return audience_rows(request.state.caller.workspace)


@router.get(_ROOM + "/starts", tags=["understand"])
def read_starts() -> list[dict[str, str]]:
    """The points an audience may begin from, and how each is told from choices."""
    types = {key: one.says for key, one in BUYING_TYPES.items()}
    cell = "One cell of the grid of expected value and activity."
    return [{"key": key, "says": types.get(key, cell)} for key in STARTS]


@router.get(_ROOM + "/starts/{key}", tags=["understand"])
def read_start(request: Request, key: str) -> dict[str, Any]:
    """The rule a starting point begins with, its numbers from the customers there are."""
    return begun(request.state.caller.workspace, key)


@router.post(_ROOM + "/count", tags=["understand"])
def count_audience(request: Request, ruled: Ruled) -> AudienceLook:
    """How many customers a rule holds for, with a covered sample; nothing is kept."""
    return look_at(request.state.caller, read_audience("counted", ruled.rule))


@router.post(_ROOM + "/members", tags=["understand"])
def list_members(request: Request, ruled: Ruled) -> AudienceMembers:
    """Whom a rule holds for now; nothing is kept."""
    caller = request.state.caller
    rule = read_audience("listed", ruled.rule).rule
    with caller.workspace.reading() as engine:
        found = live.members(engine, caller.workspace.state, rule, place=place_of(caller))
    return AudienceMembers(len(found), found[:MOST_LISTED])


@router.post(_ROOM + "/overlap", tags=["understand"])
def compare_audience(request: Request, ruled: Ruled) -> list[Overlap]:
    """How a rule lies with every audience there is."""
    return compared(request.state.caller, read_audience("compared", ruled.rule))


@router.post(_ROOM + "/refresh", tags=["understand"])
def refresh_audiences(request: Request, name: str = "") -> Refresh:
    """Judge one audience again, or all, and note who entered and who left."""
    caller = request.state.caller
    if name:
        service.find_audience(caller.workspace.state, name)
    return refreshed(caller, [name] if name else [])


@router.get(_ROOM + "/{name}", tags=["understand"])
def read_audience_of(request: Request, name: str) -> AudienceHistory:
    """One audience, every version it has had, and how it grew and shrank."""
    workspace = request.state.caller.workspace
    audience = service.find_audience(workspace.state, name)
    versions = [
        {
            "version": one.audience.version,
            "at": one.at,
            "actor": one.actor,
            "is_deleted": one.is_deleted,
            "rule": dict(one.audience.given),
        }
        for one in service.audience_versions(workspace.state, name)
    ]
    with workspace.reading() as engine:
        lines = history(engine, name)
    return AudienceHistory(_row(audience, last_refreshed(workspace.state)), versions, lines)


@router.get(_ROOM + "/{name}/changes", tags=["understand"])
def read_changes(request: Request, name: str, after: int = 0) -> list[MemberChange]:
    """Who entered and left an audience in refreshes with a higher number, by refresh."""
    workspace = request.state.caller.workspace
    service.find_audience(workspace.state, name)
    with workspace.reading() as engine:
        return changes(engine, name, after=after)[:MOST_LISTED]


@router.put(_ROOM + "/{name}", tags=["understand"])
def keep_audience(request: Request, name: str, written: Written) -> AudienceRow:
    """Keep an audience, as a new one or as the next version."""
    return keep_written(request.state.caller, read_audience(name, written.model_dump()))


@router.post(_ROOM + "/{name}/undo", tags=["understand"])
def take_back(request: Request, name: str, wanted: TakenBack) -> AudienceRow:
    """Make an earlier version of an audience the newest again."""
    return taken_back(request.state.caller, name, wanted.version)


@router.delete(_ROOM + "/{name}", tags=["understand"])
def delete_audience(request: Request, name: str) -> dict[str, str]:
    """Delete an audience; its versions and its history stay readable."""
    deleted(request.state.caller, name)
    return {"deleted": name}


@router.post(_ROOM + "/{name}/export", tags=["understand"])
def export_audience(request: Request, name: str, wanted: Exported) -> Response:
    """An audience as CSV: contact data covered; clear for approvers, with a reason, on record."""
    return exported(request.state.caller, name, wanted)
