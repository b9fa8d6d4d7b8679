"""Contents, previews, addresses and links over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import InputError
from regulars.govern.audit.service import anchor
from regulars.reach.content.keeping.files import content_from, difference
from regulars.reach.content.service import (
    Preview,
    body_of,
    content_versions,
    get_content,
    kept,
    list_contents,
    preview,
    put_content,
    register,
)
from regulars.reach.links.clicks.service import LinkCount, counts
from regulars.reach.receipts.by_hand.service import grant_by_hand
from regulars.reach.standing.gate.service import quotas_of
from regulars.serve.http.door.guard import Caller
from regulars.unify.identity.known.service import require_known
from regulars.unify.identity.service import present_ids

router = APIRouter()


@dataclass(frozen=True)
class ContentRow:
    """One version of a content in a list.

    Attributes:
        name: id@version.
        channel: Channel it is written for.
        message_class: "marketing" or "transactional".
        locales: Languages it is written in.
        at: When it was kept, ISO 8601.
        actor: Who kept it.
    """

    name: str
    channel: str
    message_class: str
    locales: list[str]
    at: str
    actor: str


class WrittenContent(BaseModel):
    """A content as somebody writes it."""

    model_config = ConfigDict(extra="forbid")

    channel: str
    message_class: str = "marketing"
    uses: list[str] = Field(default_factory=list)
    defaults: dict[str, Any] = Field(default_factory=dict)
    products: list[dict[str, Any]] = Field(default_factory=list)
    utm_campaign: str = ""
    survey: str = ""
    locales: dict[str, dict[str, Any]]


class Wanted(BaseModel):
    """Whose profile a preview is made with."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str
    channel: str = ""


class Granted(BaseModel):
    """Messages a customer allowed on a channel."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(min_length=1, max_length=64)
    messages: int = Field(default=1, ge=1, le=100)
    key: str = Field(min_length=1, max_length=200)


class Address(BaseModel):
    """Where a customer is reached."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1, max_length=32)
    address: str = Field(min_length=1, max_length=4_000)


@router.get("/api/reach/contents", tags=["reach"])
def read_contents(request: Request) -> list[ContentRow]:
    """The newest version of every content."""
    return [_row(one) for one in list_contents(request.state.caller.workspace.state)]


@router.get("/api/reach/contents/{name}", tags=["reach"])
def read_content(request: Request, name: str) -> dict[str, Any]:
    """Everything one version of a content says, and every version there is."""
    state = request.state.caller.workspace.state
    found = kept(state, name)
    versions = [_row(one) for one in content_versions(state, found.content.id)]
    body: Mapping[str, Any] = body_of(found.content)
    return {"name": found.content.name, "hash": found.hash, "content": body, "versions": versions}


@router.get("/api/reach/contents/{name}/diff", tags=["reach"])
def read_difference(request: Request, name: str, before: str) -> list[str]:
    """What changed between two versions, line by line."""
    state = request.state.caller.workspace.state
    return difference(get_content(state, before), get_content(state, name))


@router.put("/api/reach/contents/{name}", tags=["reach"])
def keep_content(request: Request, name: str, written: WrittenContent) -> dict[str, str]:
    """Keep a content; one that changed is a new version, one that did not is not."""
    caller = request.state.caller
    workspace = caller.workspace
    content = content_from(written.model_dump() | {"id": name}, "content")
    made = put_content(workspace.state, content, actor=caller.actor, at=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"name": made}


@router.post("/api/reach/contents/{name}/preview", tags=["reach"])
def show_preview(request: Request, name: str, wanted: Wanted) -> Preview:
    """How one customer would get a content, names and address covered; nothing is sent."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        return preview(
            app.content_tools,
            get_content(app.state, name),
            wanted.customer_id,
            now=caller.now,
            channel=wanted.channel,
        )


@router.put("/api/reach/customers/{customer_id}/addresses", tags=["reach"])
def keep_address(request: Request, customer_id: str, given: Address) -> dict[str, str]:
    """Keep an address of a customer, such as the token of an app on a telephone."""
    caller = request.state.caller
    workspace = caller.workspace
    register(
        workspace.state,
        workspace.protector,
        customer_id,
        (given.kind, given.address),
        source=caller.actor,
        now=caller.now,
    )
    return {"customer_id": customer_id, "kind": given.kind}


@router.post("/api/reach/customers/{customer_id}/grants", tags=["reach"])
def add_grant(request: Request, customer_id: str, given: Granted) -> dict[str, str | int]:
    """Note messages a customer allowed one by one; the same key again allows nothing more."""
    caller: Caller = request.state.caller
    workspace = caller.workspace
    _require_grants(caller, given.channel)
    with workspace.reading() as engine:
        require_known(workspace.state, engine, [customer_id])
    present = present_ids(workspace.state, [customer_id])[customer_id]
    is_new = grant_by_hand(
        workspace.state,
        present,
        channel=given.channel,
        messages=given.messages,
        key=given.key,
        actor=caller.actor,
        now=caller.now,
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {
        "customer_id": present,
        "channel": given.channel,
        "messages": given.messages,
        "is_new": is_new,
    }


@router.get("/api/reach/links", tags=["reach"])
def read_links(request: Request) -> list[LinkCount]:
    """How every destination did: everything that asked for it, and what counts as a click."""
    return counts(request.state.caller.workspace.state)


def _require_grants(caller: Caller, channel: str) -> None:
    """Refuse a channel that goes out without a grant: what was noted would never be used."""
    settings = caller.workspace.settings
    known = {
        name
        for quota in quotas_of(settings, now=caller.now)
        if quota.kind == "grant"
        for name in quota.channels
    }
    if channel not in settings.channels:
        names = ", ".join(sorted(settings.channels))
        raise InputError(f"no channel named {channel!r}; known: {names}")
    if channel not in known:
        raise InputError(
            f"channel {channel} sends without a grant of the customer, so there is none to note; "
            f"channels that need one: {', '.join(sorted(known)) or 'none'}"
        )


def _row(one: Any) -> ContentRow:
    made = one.content
    locales = sorted(made.variants)
    return ContentRow(made.name, made.channel, made.message_class, locales, one.at, one.actor)
