"""Requests of customers about their own data over HTTP: asked, previewed, approved, carried out."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import NotAllowed
from regulars.govern.audit.service import anchor
from regulars.reach.rights.answering.service import give_access, past_erasure, preview
from regulars.reach.rights.requests.records import Asking, Preview, Status
from regulars.reach.rights.requests.records import Request as RightsRequest
from regulars.reach.rights.requests.service import approve, ask, find_request, refuse, requests
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.numbers import NumberInPath
from regulars.serve.rights import carry_out, places_of

router = APIRouter()


class Whom(BaseModel):
    """Whom a request is about."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str = Field(min_length=1, max_length=200)


class Asked(Whom):
    """A request as somebody writes it down."""

    law: str = "cn"


class Refused(BaseModel):
    """Why a request is refused, as the customer is told."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


@router.get("/api/govern/requests", tags=["govern"])
def read_requests(request: Request, is_open: bool = False) -> dict[str, Any]:
    """Requests and how they stand; with `is_open` those still to be answered, first due first."""
    found = requests_of(request.state.caller, only_open=is_open)
    return {"requests": [asdict(one) for one in found]}


@router.post("/api/govern/access", tags=["govern"])
def post_access(request: Request, asked: Asked) -> dict[str, Any]:
    """Write a request for a copy down and answer it: everything kept of a customer."""
    return access_of(request.state.caller, asked)


@router.post("/api/govern/erase/preview", tags=["govern"])
def post_preview(request: Request, whom: Whom) -> dict[str, Any]:
    """Tell what an erasure would do; nothing is done."""
    return asdict(preview_of(request.state.caller, whom.customer_id))


@router.post("/api/govern/erase", tags=["govern"])
def post_erase(request: Request, asked: Asked) -> dict[str, Any]:
    """Ask for an erasure; a second person must approve it before anything is done."""
    caller: Caller = request.state.caller
    found = preview_of(caller, asked.customer_id)
    return {"request": asdict(erase_asked(caller, asked)), "preview": asdict(found)}


@router.post("/api/govern/erase/{number}/approve", tags=["govern"])
def post_approve(request: Request, number: NumberInPath) -> dict[str, Any]:
    """Approve an erasure somebody else asked for, and carry it out, or go on with it."""
    return asdict(erase_approved(request.state.caller, number))


@router.post("/api/govern/erase/{number}/refuse", tags=["govern"])
def post_refuse(request: Request, number: NumberInPath, refused: Refused) -> dict[str, Any]:
    """Refuse an erasure, with the reason the customer is told."""
    return asdict(erase_refused(request.state.caller, number, refused.reason))


def requests_of(caller: Caller, *, only_open: bool = False) -> list[RightsRequest]:
    """List requests, the newest first, or those still to be answered."""
    return requests(places_of(caller.workspace.shop), only_open=only_open)


def access_of(caller: Caller, asked: Asked) -> dict[str, Any]:
    """Write a request for a copy down, and answer it.

    Args:
        caller: Who asks, and in which workspace.
        asked: Of whom.

    Returns:
        The request, and the copy.

    Raises:
        NotAllowed: Nobody is signed in.
    """
    shop, asking = caller.workspace.shop, _asking(caller)
    places = places_of(shop)
    if caller.role is None:
        raise NotAllowed("role", "nobody is signed in; sign in first")
    known = ask(places, "access", asked.customer_id, law=asked.law, asking=asking)
    pack = give_access(
        places, asked.customer_id, role=caller.role, asking=asking, number=known.number
    )
    anchor(shop.state, folder=shop.folder, at=caller.now)
    return {"request": asdict(find_request(places, known.number)), "pack": pack}


def preview_of(caller: Caller, customer_id: str) -> Preview:
    """Tell what an erasure would do."""
    return preview(places_of(caller.workspace.shop), customer_id)


def erase_asked(caller: Caller, asked: Asked) -> RightsRequest:
    """Ask for an erasure; who was erased before and left nothing gets that receipt.

    Args:
        caller: Who asks, and in which workspace.
        asked: Whom to erase.

    Returns:
        The request.
    """
    shop = caller.workspace.shop
    places = places_of(shop)
    done = past_erasure(places, asked.customer_id)
    if done and preview(places, asked.customer_id).is_empty:
        return done
    known = ask(places, "erase", asked.customer_id, law=asked.law, asking=_asking(caller))
    anchor(shop.state, folder=shop.folder, at=caller.now)
    return known


def erase_approved(caller: Caller, number: int) -> RightsRequest:
    """Approve an erasure and carry it out; one that was interrupted goes on.

    Args:
        caller: Who approves, and in which workspace.
        number: The request.

    Returns:
        The request, done.
    """
    shop, asking = caller.workspace.shop, _asking(caller)
    places = places_of(shop)
    if find_request(places, number).status is Status.WAITING:
        approve(places, number, asking=asking)
    return carry_out(shop, number, asking=asking)


def erase_refused(caller: Caller, number: int, reason: str) -> RightsRequest:
    """Refuse an erasure.

    Args:
        caller: Who refuses, and in which workspace.
        number: The request.
        reason: Why.

    Returns:
        The request, refused.
    """
    shop = caller.workspace.shop
    found = refuse(places_of(shop), number, reason=reason, asking=_asking(caller))
    anchor(shop.state, folder=shop.folder, at=caller.now)
    return found


def _asking(caller: Caller) -> Asking:
    return Asking(caller.actor, caller.now)
