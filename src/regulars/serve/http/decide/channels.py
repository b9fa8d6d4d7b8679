"""What each channel can do for whom, and what people say instead."""

from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.decide.channels.capability import Capability
from regulars.decide.channels.service import (
    Override,
    for_customer,
    matrix,
    override,
    overrides,
    restore,
)
from regulars.govern.audit.service import anchor
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Claimed(BaseModel):
    """What a person says a channel can do."""

    model_config = ConfigDict(extra="forbid")

    value: float = Field(ge=0)
    why: str = Field(min_length=1, max_length=500)
    until: date | None = None


@router.get("/api/decide/channels", tags=["decide"])
def read_channels(request: Request, customer_id: str = "") -> dict[str, Any]:
    """What each channel can do in each stage, or for one customer, and what is overridden."""
    caller: Caller = request.state.caller
    said = overrides(caller.workspace.state, now=caller.now)
    return {
        "channels": [asdict(one) for one in capabilities_of(caller, customer_id)],
        "overrides": [asdict(one) for one in said],
    }


@router.put("/api/decide/channels/{channel}/{stage}/{measure}", tags=["decide"])
def put_override(
    request: Request, channel: str, stage: str, measure: str, said: Claimed
) -> dict[str, Any]:
    """Say what a channel can do in a stage (* for all), instead of what was learned."""
    override_of(request.state.caller, (channel, stage, measure), said)
    place = {"channel": channel, "stage": stage, "measure": measure}
    return place | said.model_dump(mode="json")


@router.delete("/api/decide/channels/{channel}/{stage}/{measure}", tags=["decide"])
def delete_override(request: Request, channel: str, stage: str, measure: str) -> dict[str, Any]:
    """Go back to what was learned."""
    return {"was_overridden": restore_of(request.state.caller, (channel, stage, measure))}


def capabilities_of(caller: Caller, customer_id: str = "") -> list[Capability]:
    """Give what each channel can do in each stage, or for one customer.

    Args:
        caller: Who asks, and in which workspace.
        customer_id: The customer; "" for the whole matrix.

    Returns:
        One per channel and stage; empty before the first contact.
    """
    workspace = caller.workspace
    state, days = workspace.state, workspace.settings.loop.window_days
    with workspace.reading() as engine:
        if customer_id:
            return for_customer(engine, state, customer_id, window_days=days, now=caller.now)
        return matrix(engine, state, window_days=days, now=caller.now)


def override_of(caller: Caller, place: tuple[str, str, str], said: Claimed) -> None:
    """Put down what a person says a channel can do.

    Args:
        caller: Who says it, and in which workspace.
        place: Channel, stage and measure.
        said: The value, why, and the last day it holds where the retailer is.
    """
    workspace = caller.workspace
    zone = ZoneInfo(workspace.settings.retailer.zone)
    override(
        workspace.state,
        Override(*place, said.value, said.why, caller.actor, None),
        channels=tuple(workspace.settings.channels),
        now=caller.now,
        until=datetime.combine(said.until, time.max, zone) if said.until else None,
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)


def restore_of(caller: Caller, place: tuple[str, str, str]) -> bool:
    """Go back to what was learned.

    Returns:
        False when nothing was overridden.
    """
    workspace = caller.workspace
    is_gone = restore(workspace.state, *place, actor=caller.actor, now=caller.now)
    if is_gone:
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return is_gone
