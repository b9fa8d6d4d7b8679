"""Tags over HTTP: list, define, count while writing, give, remove; the tags of one customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from ibis import _
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.audit.service import anchor
from regulars.govern.masking import mask_name
from regulars.ports.engine import Reader
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace
from regulars.unify.identity.service import aliases
from regulars.unify.tags import service
from regulars.unify.tags.definitions import Tag, lineage
from regulars.unify.tags.live.service import TagChange, count, history, members_now

router = APIRouter()
SAMPLE = 10
_COUNTED = "counted"


@dataclass(frozen=True)
class TagRow:
    """One tag as it is shown.

    Attributes:
        name: What everybody calls it.
        kind: rule, model, manual or source.
        definition: What it asks for.
        description: What it is for.
        owner: Who answers for it.
        expires_on: Last day it has members; None for no end.
        keep_days: Days a customer keeps it from entering; None for as long as it holds.
        version: 1 for the first.
        lineage: What it is read from.
        members: Members as of the newest turn; 0 for a tag no turn has seen.
    """

    name: str
    kind: str
    definition: dict[str, Any]
    description: str
    owner: str
    expires_on: date | None
    keep_days: int | None
    version: int
    lineage: list[str]
    members: int


@dataclass(frozen=True)
class TagHistory:
    """One tag with all it has been.

    Attributes:
        tag: The tag now.
        versions: Version, moment, actor and definition of each, the oldest first.
    """

    tag: TagRow
    versions: list[dict[str, Any]]


@dataclass(frozen=True)
class TagCount:
    """How many customers a definition would reach.

    Attributes:
        customers: Customers who meet it.
        known: Customers there are.
        as_of: Last day looked at; None before the first turn.
        lineage: What it is read from.
        sample: A few of them: customer_id and the name, covered.
    """

    customers: int
    known: int
    as_of: date | None
    lineage: list[str]
    sample: list[dict[str, str | None]]


class Written(BaseModel):
    """A tag as somebody writes it."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    definition: dict[str, Any] = Field(default_factory=dict)
    description: str = Field(default="", max_length=500)
    owner: str = Field(default="", max_length=64)
    expires_on: date | None = None
    keep_days: int | None = None


class Named(BaseModel):
    """Customers named by hand."""

    model_config = ConfigDict(extra="forbid")

    customers: list[str] = Field(min_length=1, max_length=10_000)


def tag_rows(workspace: Workspace) -> list[TagRow]:
    """Give every tag with its members as of the newest turn, by name."""
    tags = service.list_tags(workspace.state)
    return _rows(workspace, tags)


def count_written(workspace: Workspace, tag: Tag) -> TagCount:
    """Count whom a tag would reach on the newest profiles, with a covered sample.

    Args:
        workspace: Whose customers.
        tag: The tag, kept or still being written.

    Returns:
        The count; contact data never leaves covered.
    """
    merged = aliases(workspace.state)
    with workspace.reading() as engine:
        found = count(engine, tag, aliases=merged, sample=SAMPLE)
        names = _names(engine, found.sample)
    few = [{"customer_id": one, "name": names.get(one)} for one in found.sample]
    return TagCount(found.customers, found.known, found.as_of, lineage(tag), few)


def keep_written(caller: Caller, name: str, written: Written) -> TagRow:
    """Keep a tag as it was written: a new one, or the next version of one there is."""
    workspace = caller.workspace
    tag = service.read_tag(name, written.model_dump())
    kept = service.keep_tag(workspace.state, tag, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return _rows(workspace, [kept])[0]


def mark(caller: Caller, name: str, customers: Sequence[str], *, is_given: bool) -> int:
    """Give a tag to customers, or take it from them.

    Args:
        caller: Who does it, and in which workspace.
        name: The tag.
        customers: Customer ids.
        is_given: False to take it away.

    Returns:
        Customers it was given to, or taken from.
    """
    workspace = caller.workspace
    does = service.give if is_given else service.remove
    done = does(workspace.state, name, customers, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return done


def _rows(workspace: Workspace, tags: Sequence[Tag]) -> list[TagRow]:
    with workspace.reading() as engine:
        members = members_now(engine, tags)
    return [
        TagRow(
            tag.name,
            tag.kind.value,
            dict(tag.definition),
            tag.description,
            tag.owner,
            tag.expires_on,
            tag.keep_days,
            tag.version,
            lineage(tag),
            members[tag.name],
        )
        for tag in tags
    ]


def _names(engine: Reader, customers: Sequence[str]) -> dict[str, str]:
    known = engine.table("customers").filter(_.customer_id.isin(list(customers)))
    rows = engine.rows(known.select("customer_id", "name")) if customers else []
    return {row["customer_id"]: mask_name(row["name"]) for row in rows if row["name"]}


@router.get("/api/unify/tags", tags=["unify"])
def read_tags(request: Request) -> list[TagRow]:
    """Every tag, with its members as of the newest turn."""
    return tag_rows(request.state.caller.workspace)


@router.get("/api/unify/tags/{name}", tags=["unify"])
def read_one(request: Request, name: str) -> TagHistory:
    """One tag, and every version it has had."""
    workspace = request.state.caller.workspace
    tag = service.find_tag(workspace.state, name)
    versions = [
        {
            "version": one.tag.version,
            "at": one.at,
            "actor": one.actor,
            "is_deleted": one.is_deleted,
            "kind": one.tag.kind.value,
            "definition": dict(one.tag.definition),
        }
        for one in service.tag_versions(workspace.state, name)
    ]
    return TagHistory(_rows(workspace, [tag])[0], versions)


@router.post("/api/unify/tags/count", tags=["unify"])
def count_tag(request: Request, written: Written) -> TagCount:
    """How many customers a definition would reach, with a covered sample; nothing is kept."""
    tag = service.read_tag(_COUNTED, written.model_dump())
    return count_written(request.state.caller.workspace, tag)


@router.put("/api/unify/tags/{name}", tags=["unify"])
def keep_tag(request: Request, name: str, written: Written) -> TagRow:
    """Keep a tag, as a new one or as the next version."""
    return keep_written(request.state.caller, name, written)


@router.delete("/api/unify/tags/{name}", tags=["unify"])
def delete_tag(request: Request, name: str) -> dict[str, str]:
    """Delete a tag; its versions stay readable in the audit log and the state."""
    caller = request.state.caller
    workspace = caller.workspace
    service.delete_tag(workspace.state, name, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"deleted": name}


@router.post("/api/unify/tags/{name}/give", tags=["unify"])
def give_tag(request: Request, name: str, named: Named) -> dict[str, int]:
    """Give a tag to customers by hand."""
    return {"customers": mark(request.state.caller, name, named.customers, is_given=True)}


@router.post("/api/unify/tags/{name}/remove", tags=["unify"])
def remove_tag(request: Request, name: str, named: Named) -> dict[str, int]:
    """Take a tag from customers; it stays away until it is given again by hand."""
    return {"customers": mark(request.state.caller, name, named.customers, is_given=False)}


@router.get("/api/unify/customers/{customer_id}/tags", tags=["unify"])
def read_history(request: Request, customer_id: str) -> list[TagChange]:
    """When a customer entered and left tags, the newest first."""
    with request.state.caller.workspace.reading() as engine:
        return history(engine, customer_id)
