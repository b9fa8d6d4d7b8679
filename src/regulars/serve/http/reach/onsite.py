"""The on-site slot over HTTP: a page asks what waits for a customer, and says that it showed it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import UnknownName
from regulars.govern.policy.asks import MARKETING_CLASS, Ask
from regulars.reach.standing.gate import gate_of
from regulars.serve.http.door.guard import Caller

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
    with caller.workspace.holding() as app:
        found = _slot(app, channel).waiting(
            asked.customer_id, now=caller.now, slot=asked.slot, most=asked.most
        )
        gate = gate_of(app.settings, now=caller.now)
        kind = app.settings.channels[channel].message_class or MARKETING_CLASS
        asks = [Ask(one.key, asked.customer_id, channel, kind) for one in found]
        # Who withdrew since it was put there is not shown it, nor anybody after a stop.
        with app.state.reading() as opened:
            said = gate.judge_again(opened, asks, now=caller.now) if asks else []
    return [
        asdict(one) for one, verdict in zip(found, said, strict=True) if verdict.decision == "allow"
    ]


@router.post("/api/reach/onsite/{channel}/shown", tags=["reach"])
def shown(request: Request, channel: str, told: Shown) -> dict[str, bool]:
    """Note that a page showed it; the second time changes nothing."""
    caller: Caller = request.state.caller
    with caller.workspace.holding() as app:
        return {"is_first": _slot(app, channel).shown(told.key, now=caller.now)}


def _slot(app: "App", channel: str) -> Any:
    slots = [name for name, part in app.settings.channels.items() if part.via == "onsite"]
    if channel not in slots:
        raise UnknownName("on-site channel", channel, slots)
    return app.channels[channel]
