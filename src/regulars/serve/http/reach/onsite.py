"""The on-site slot over HTTP: a page asks what waits for a customer, and says that it showed it."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import UnknownName
from regulars.govern.policy.asks import MARKETING_CLASS, Ask
from regulars.reach.standing.gate import gate_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace

if TYPE_CHECKING:
    from regulars.app import App

router = APIRouter()


class Asked(BaseModel):
    """Who looks at which place of a page."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str = Field(min_length=1, max_length=200)
    slot: str = Field(default="", max_length=100)
    most: int = Field(default=1, ge=1, le=20)


class Shown(BaseModel):
    """What a page showed."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=200)


@router.post("/api/reach/onsite/{channel}/ask", tags=["reach"])
def ask(request: Request, channel: str, asked: Asked) -> list[dict[str, Any]]:
    """What waits for a customer on one place of a page, the newest first; empty for nothing."""
    caller: Caller = request.state.caller
    found = waiting_for(
        caller.workspace,
        channel,
        asked.customer_id,
        now=caller.now,
        slot=asked.slot,
        most=asked.most,
    )
    return [asdict(one) for one in found]


@router.post("/api/reach/onsite/{channel}/shown", tags=["reach"])
def shown(request: Request, channel: str, told: Shown) -> dict[str, bool]:
    """Note that a page showed it; the second time changes nothing."""
    caller: Caller = request.state.caller
    return {"is_first": mark_shown(caller.workspace, channel, told.key, now=caller.now)}


def waiting_for(
    workspace: Workspace,
    channel: str,
    customer_id: str,
    *,
    now: datetime,
    slot: str = "",
    most: int = 1,
) -> list[Any]:
    """Give what waits for a customer on one place of a page and may still be shown.

    Args:
        workspace: Whose customer.
        channel: An on-site channel.
        customer_id: Who.
        now: The moment, aware.
        slot: Place on the page; "" for the channel's own.
        most: Most of them.

    Returns:
        Key, title, text and link of each, the newest first; nothing for who withdrew since it
        was put there, nor after a stop.

    Raises:
        UnknownName: There is no such on-site channel.
    """
    with workspace.holding() as app:
        found = _slot(app, channel).waiting(customer_id, now=now, slot=slot, most=most)
        gate = gate_of(app.settings, now=now)
        kind = app.settings.channels[channel].message_class or MARKETING_CLASS
        asks = [Ask(one.key, customer_id, channel, kind) for one in found]
        with app.state.reading() as opened:
            said = gate.judge_again(opened, asks, now=now) if asks else []
    return [one for one, verdict in zip(found, said, strict=True) if verdict.decision == "allow"]


def mark_shown(workspace: Workspace, channel: str, key: str, *, now: datetime) -> bool:
    """Note that a page showed what waited.

    Returns:
        True the first time.

    Raises:
        UnknownName: There is no such on-site channel.
    """
    with workspace.holding() as app:
        return bool(_slot(app, channel).shown(key, now=now))


def _slot(app: "App", channel: str) -> Any:
    slots = [name for name, part in app.settings.channels.items() if part.via == "onsite"]
    if channel not in slots:
        raise UnknownName("on-site channel", channel, slots)
    return app.channels[channel]
