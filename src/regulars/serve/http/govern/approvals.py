"""Approvals over HTTP: what waits for me, and my word about it."""

from fastapi import APIRouter
from fastapi import Request as Incoming
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.approvals.service import Request, inbox, newest_requests
from regulars.serve.http.door.numbers import NumberInPath
from regulars.serve.sending import acting

router = APIRouter()


class Said(BaseModel):
    """What somebody says of a request."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2000)


@router.get("/api/govern/approvals", tags=["govern"])
def read_requests(request: Incoming, *, mine: bool = False) -> list[Request]:
    """Requests for approval, the newest first; or those that wait for the caller."""
    caller = request.state.caller
    state = caller.workspace.state
    return inbox(state, caller.actor) if mine else newest_requests(state)


@router.get("/api/govern/approvals/{number}", tags=["govern"])
def read_request(request: Incoming, number: NumberInPath) -> Request:
    """One request: what the approver is shown, and everything said about it."""
    with request.state.caller.workspace.holding() as app:
        return acting.request_of(app, number)


@router.post("/api/govern/approvals/{number}/approve", tags=["govern"])
def approve(request: Incoming, number: NumberInPath, said: Said) -> Request:
    """Approve a request, if it is still what was shown; never one's own."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        return acting.approve(app, number, actor=caller.actor, now=caller.now, note=said.note)


@router.post("/api/govern/approvals/{number}/ask-changes", tags=["govern"])
def ask_changes(request: Incoming, number: NumberInPath, said: Said) -> Request:
    """Send a request back with what is to be changed."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        return acting.send_back(app, number, said.note, actor=caller.actor, now=caller.now)


@router.post("/api/govern/approvals/{number}/comment", tags=["govern"])
def comment(request: Incoming, number: NumberInPath, said: Said) -> Request:
    """Say something about a request."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        return acting.comment(app, number, said.note, actor=caller.actor, now=caller.now)


@router.post("/api/govern/approvals/{number}/withdraw", tags=["govern"])
def withdraw(request: Incoming, number: NumberInPath, said: Said) -> Request:
    """Take a request back; those who made or asked for it may."""
    caller = request.state.caller
    with caller.workspace.holding() as app:
        return acting.take_back(app, number, actor=caller.actor, now=caller.now, note=said.note)
