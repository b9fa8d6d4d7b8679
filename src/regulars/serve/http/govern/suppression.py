"""Suppression over HTTP: who may not be contacted, by customer or by address; never in clear."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from regulars.errors import InputError
from regulars.govern.audit.service import anchor
from regulars.govern.suppression import Bar
from regulars.govern.suppression.importing.service import BarImport, import_bars, subject_of
from regulars.govern.suppression.service import BarChange, bars_of, changes_of, lift, suppress
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class About(BaseModel):
    """Whom it is about: one customer, or one address."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str = ""
    phone: str = ""
    email: str = ""


class Barred(About):
    """A bar as somebody sets it."""

    channel: str = "*"
    reason: str = "manual"
    until: datetime | None = None
    note: str = Field(default="", max_length=500)


class Freed(About):
    """Which bars are lifted."""

    channel: str = ""
    reason: str = ""
    note: str = Field(default="", max_length=500)


@dataclass(frozen=True)
class BarState:
    """The bars of one customer or address.

    Attributes:
        subject: A customer id, or the token of an address.
        changed: Bars set or lifted by the call.
        bars: Bars that hold.
        changes: Every change, the newest first.
    """

    subject: str
    changed: int
    bars: list[Bar]
    changes: list[BarChange]


@router.post("/api/govern/suppress", tags=["govern"])
def set_bar(request: Request, barred: Barred) -> BarState:
    """Bar a customer or an address; from now on nothing more is claimed for them."""
    caller: Caller = request.state.caller
    subject = _subject(caller, barred)
    bar = Bar(subject, barred.reason, caller.now, barred.channel, barred.until, barred.note)
    changed = suppress(caller.workspace.state, [bar], actor=caller.actor, now=caller.now)
    return _answer(caller, subject, changed)


@router.post("/api/govern/suppress/lift", tags=["govern"])
def lift_bars(request: Request, freed: Freed) -> BarState:
    """Lift bars of a customer or an address."""
    caller: Caller = request.state.caller
    subject = _subject(caller, freed)
    changed = lift(
        caller.workspace.state,
        subject,
        actor=caller.actor,
        now=caller.now,
        channel=freed.channel,
        reason=freed.reason,
        note=freed.note,
    )
    return _answer(caller, subject, changed)


@router.post("/api/govern/suppress/import", tags=["govern"])
async def import_list(request: Request) -> BarImport:
    """Bar everybody the list in the body names, CSV or JSON; bad rows come back with reasons."""
    data = await request.body()
    return await run_in_threadpool(_import, request.state.caller, data)


@router.get("/api/govern/suppress/{customer_id}", tags=["govern"])
def read_bars(request: Request, customer_id: str) -> BarState:
    """The bars of a customer, and every change of them."""
    return _state(request.state.caller, customer_id, 0)


def _import(caller: Caller, data: bytes) -> BarImport:
    workspace = caller.workspace
    found = import_bars(
        workspace.state,
        data,
        token=workspace.protector.token,
        zone=workspace.settings.retailer.zone,
        actor=caller.actor,
        now=caller.now,
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return found


def _subject(caller: Caller, about: About) -> str:
    given = [name for name in ("customer_id", "phone", "email") if getattr(about, name)]
    if len(given) != 1:
        raise InputError("give one of customer_id, phone and email")
    if given[0] == "customer_id":
        return about.customer_id
    return subject_of(caller.workspace.protector.token, given[0], getattr(about, given[0]))


def _answer(caller: Caller, subject: str, changed: int) -> BarState:
    anchor(caller.workspace.state, folder=caller.workspace.folder, at=caller.now)
    return _state(caller, subject, changed)


def _state(caller: Caller, subject: str, changed: int) -> BarState:
    state = caller.workspace.state
    bars = bars_of(state, subject, now=caller.now)
    return BarState(subject, changed, bars, changes_of(state, subject))
