"""Triggers over HTTP: something happened to one customer, and a message answers it at once."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.reach.campaigns.triggers.service import Taken, Trigger

router = APIRouter()


class Happened(BaseModel):
    """What happened to whom."""

    model_config = ConfigDict(extra="forbid")

    campaign: str = Field(min_length=1, max_length=64)
    customer_id: str = Field(min_length=1, max_length=200)
    trigger_id: str = Field(min_length=1, max_length=200)
    properties: dict[str, Any] = Field(default_factory=dict)


@router.post("/api/reach/trigger", tags=["reach"])
async def trigger(request: Request, happened: Happened) -> Taken:
    """Answer something that happened with a contact of a running transactional campaign.

    The answer comes once the contact is on disk in the send ledger; it goes out at once, apart
    from anything marketing. The same `trigger_id` of a campaign again changes nothing.

    Returns:
        Key of the contact, and whether the trigger was new.
    """
    given = Trigger(
        happened.campaign, happened.trigger_id, happened.customer_id, happened.properties
    )
    return await asyncio.wrap_future(request.state.caller.workspace.desk.hand_in(given))
