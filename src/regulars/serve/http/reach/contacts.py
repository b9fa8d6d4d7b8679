"""Contacts over HTTP: the stop of everything, why somebody was contacted, what is stuck."""

from typing import Any

from fastapi import APIRouter, Request

from regulars.govern.audit.service import anchor
from regulars.govern.policy.service import resume, stop, stopped
from regulars.reach.delivery.reports import Alert
from regulars.reach.delivery.service import stuck, unknown
from regulars.serve.http.reach.campaigns import Reasoned
from regulars.serve.sending.callbacks.staff_tasks import follow_staff
from regulars.serve.sending.explaining import Explanation, explain
from regulars.serve.sending.passing import one_pass
from regulars.serve.sending.watching import ChannelRow, channel_rows

router = APIRouter()


@router.get("/api/reach/customers/{customer_id}/explain", tags=["reach"])
def explain_customer(request: Request, customer_id: str, limit: int = 100) -> Explanation:
    """Why a customer was contacted or not, the newest first, with sentences in zh and en."""
    workspace = request.state.caller.workspace
    zone = workspace.settings.retailer.zone
    return explain(workspace.state, customer_id, zone=zone, limit=min(max(limit, 1), 1000))


@router.get("/api/reach/channels", tags=["reach"])
def read_channels(request: Request) -> list[ChannelRow]:
    """The channels: what carries them, what a contact costs, how they do."""
    with request.state.caller.workspace.holding() as app:
        return channel_rows(app)


@router.get("/api/reach/unknown", tags=["reach"])
def read_unknown(request: Request) -> list[dict[str, Any]]:
    """Every contact nobody confirmed."""
    return unknown(request.state.caller.workspace.state)


@router.get("/api/reach/alerts", tags=["reach"])
def read_alerts(request: Request) -> list[Alert]:
    """What should have moved and has not."""
    caller = request.state.caller
    minutes = caller.workspace.settings.sending.stuck_minutes
    return stuck(caller.workspace.state, now=caller.now, minutes=minutes)


@router.get("/api/reach/stop", tags=["reach"])
def read_stop(request: Request) -> dict[str, str | None]:
    """Why all contacts are stopped; null when they are not."""
    return {"stopped": stopped(request.state.caller.workspace.state)}


@router.post("/api/reach/stop", tags=["reach"])
def stop_all(request: Request, why: Reasoned) -> dict[str, str | None]:
    """Stop every contact of the workspace at once, in running passes and turns too."""
    caller = request.state.caller
    workspace = caller.workspace
    stop(workspace.state, why.reason, actor=caller.actor, at=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"stopped": stopped(workspace.state)}


@router.post("/api/reach/resume", tags=["reach"])
def resume_all(request: Request) -> dict[str, bool]:
    """Let contacts go out again."""
    caller = request.state.caller
    workspace = caller.workspace
    was_stopped = resume(workspace.state, actor=caller.actor, at=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"resumed": was_stopped}


@router.post("/api/reach/tick", tags=["reach"])
def tick(request: Request) -> dict[str, Any]:
    """Do one pass now; for servers that run without a ticker."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        done = one_pass(app, now=caller.now)
        follow_staff(app, now=caller.now)
    return {"moves": done.moves, "journeys": done.journeys, "report": done.report}
