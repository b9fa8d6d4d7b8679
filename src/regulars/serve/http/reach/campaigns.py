"""Campaigns over HTTP: keep, compare, submit, send, pause, end, and watch them."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.reach.campaigns.changes import Change
from regulars.reach.campaigns.reviewing.dossier import Dossier
from regulars.reach.campaigns.service import (
    CampaignRow,
    Task,
    Version,
    compare_versions,
    list_campaigns,
    open_tasks,
    versions_of,
)
from regulars.serve.http.door.guard import Caller
from regulars.serve.sending import acting
from regulars.serve.sending.sources import dossier_of
from regulars.serve.sending.watching import CampaignView, campaign_view, compare_with

router = APIRouter()


class Noted(BaseModel):
    """What somebody says of what they do."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2000)


class Reasoned(BaseModel):
    """Why somebody does it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


@router.get("/api/reach/campaigns", tags=["reach"])
def read_campaigns(request: Request) -> list[CampaignRow]:
    """Every campaign, the one changed last first; its phases are left out."""
    return list_campaigns(_caller(request).workspace.state)


@router.get("/api/reach/tasks", tags=["reach"])
def read_tasks(request: Request) -> list[Task]:
    """What campaigns ask people to look at, the oldest first."""
    return open_tasks(_caller(request).workspace.state)


@router.get("/api/reach/campaigns/{campaign_id}", tags=["reach"])
def read_campaign(request: Request, campaign_id: str) -> CampaignView:
    """One campaign as it stands: its phases, everybody in them by fate, what the gates say."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return campaign_view(app, campaign_id, now=caller.now)


@router.put("/api/reach/campaigns/{campaign_id}", tags=["reach"])
def keep_campaign(request: Request, campaign_id: str, given: dict[str, Any]) -> CampaignRow:
    """Keep a campaign: a new one, or the next version of one there is; an approval ends."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return acting.put(app, given | {"id": campaign_id}, actor=caller.actor, now=caller.now)


@router.get("/api/reach/campaigns/{campaign_id}/versions", tags=["reach"])
def read_versions(request: Request, campaign_id: str) -> list[Version]:
    """Every version of a campaign, the oldest first."""
    return versions_of(_caller(request).workspace.state, campaign_id)


@router.get("/api/reach/campaigns/{campaign_id}/changes", tags=["reach"])
def read_changes(
    request: Request, campaign_id: str, before: int | None = None, after: int | None = None
) -> list[Change]:
    """What changed between two versions; by default between the last two."""
    state = _caller(request).workspace.state
    return compare_versions(state, campaign_id, before=before, after=after)


@router.post("/api/reach/campaigns/{campaign_id}/changes", tags=["reach"])
def would_change(request: Request, campaign_id: str, given: dict[str, Any]) -> list[Change]:
    """What a written campaign would change of the one kept; nothing is kept."""
    with _caller(request).workspace.holding() as app:
        return compare_with(app, given | {"id": campaign_id})


@router.get("/api/reach/campaigns/{campaign_id}/dossier", tags=["reach"])
def read_dossier(request: Request, campaign_id: str) -> Dossier:
    """What an approver would be shown now: changes, findings, audience, cost, risks."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return dossier_of(app, campaign_id, now=caller.now)


@router.post("/api/reach/campaigns/{campaign_id}/submit", tags=["reach"])
def submit(request: Request, campaign_id: str, said: Noted) -> dict[str, int]:
    """Ask for approval of the newest version as it stands now."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        number = acting.submit(app, campaign_id, actor=caller.actor, now=caller.now, note=said.note)
    return {"request": number}


@router.post("/api/reach/campaigns/{campaign_id}/send", tags=["reach"])
def send(request: Request, campaign_id: str) -> CampaignRow:
    """Start an approved campaign; the ticker of the server hands its contacts over."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        row = acting.begin(app, campaign_id, actor=caller.actor, now=caller.now)
    caller.workspace.desk.wake.set()
    return row


@router.post("/api/reach/campaigns/{campaign_id}/pause", tags=["reach"])
def pause(request: Request, campaign_id: str, why: Reasoned) -> CampaignRow:
    """Hold everything of a campaign that has not gone out yet."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return acting.pause(app, campaign_id, reason=why.reason, actor=caller.actor, now=caller.now)


@router.post("/api/reach/campaigns/{campaign_id}/resume", tags=["reach"])
def resume(request: Request, campaign_id: str) -> CampaignRow:
    """Let a paused campaign go on where it stood."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return acting.resume(app, campaign_id, actor=caller.actor, now=caller.now)


@router.post("/api/reach/campaigns/{campaign_id}/go-on", tags=["reach"])
def go_on(request: Request, campaign_id: str, said: Noted) -> dict[str, str]:
    """Let the next phase begin, whatever its gate says."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        phase = acting.let_pass(
            app, campaign_id, actor=caller.actor, now=caller.now, note=said.note
        )
    return {"passed": phase}


@router.post("/api/reach/campaigns/{campaign_id}/end", tags=["reach"])
def end(request: Request, campaign_id: str, why: Reasoned) -> dict[str, int]:
    """End a campaign for good; whoever has not been contacted will not be."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        left = acting.end(app, campaign_id, reason=why.reason, actor=caller.actor, now=caller.now)
    return {"skipped": left}


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
