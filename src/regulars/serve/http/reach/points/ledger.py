"""Points over HTTP: posted, redeemed, reversed, looked at; the programme and what it owes."""

from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import InputError
from regulars.govern.audit.service import anchor
from regulars.reach.loyalty.ledger import Ask, Outcome, earn, redeem, reverse
from regulars.reach.loyalty.ledger import service as ledger
from regulars.reach.loyalty.ledger.service import Balance, Line
from regulars.reach.loyalty.programme import read_programme
from regulars.reach.loyalty.programme.service import (
    Kept,
    find_programme,
    keep_programme,
    versions,
)
from regulars.reach.loyalty.reporting.service import Liability, liability
from regulars.reach.loyalty.simulating.service import Simulated, newest_day, simulate
from regulars.reach.loyalty.tiers.service import tier_counts
from regulars.unify.identity.service import aliases

router = APIRouter()


@dataclass(frozen=True)
class Programmes:
    """The rules, version by version.

    Attributes:
        version: The version in force; 0 when there is none.
        versions: Every version as it was written, the first first.
    """

    version: int
    versions: list[Kept]


class WrittenPoints(BaseModel):
    """Points somebody gives or spends."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str = Field(min_length=1, max_length=200)
    points: int = Field(ge=1, le=1_000_000_000)
    key: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="goodwill", min_length=1, max_length=200)
    reference: str = Field(default="", max_length=200)


class WrittenReversal(BaseModel):
    """An earning or a redemption somebody takes back."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(min_length=1, max_length=200)
    key: str = Field(min_length=1, max_length=200)
    points: int = Field(default=0, ge=0, le=1_000_000_000)
    reason: str = Field(default="correction", min_length=1, max_length=200)


class WrittenRules(BaseModel):
    """Rules of a programme as TOML."""

    model_config = ConfigDict(extra="forbid")

    body: str = Field(min_length=1, max_length=65_536)


def carried_out(request: Request, ask: Ask) -> Outcome:
    """Carry out what somebody asks of the ledger, and sign the audit log."""
    caller = request.state.caller
    workspace = caller.workspace
    programme = find_programme(workspace.state)
    told = ledger.post_by_hand(
        workspace.state,
        ask,
        actor=caller.actor,
        now=caller.now,
        policy=programme.policy if programme else None,
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return told


@router.post("/api/reach/points/post", tags=["reach"])
def post_points(request: Request, written: WrittenPoints) -> Outcome:
    """Give points to a customer; the same key again gives nothing more."""
    caller = request.state.caller
    programme = find_programme(caller.workspace.state)
    zone = caller.workspace.settings.retailer.zone
    ask = earn(
        written.key,
        written.customer_id,
        written.points,
        reason=written.reason,
        reference=written.reference,
        expires_at=programme.moments(caller.now, zone=zone)[1] if programme else None,
        actor=caller.actor,
    )
    return carried_out(request, ask)


@router.post("/api/reach/points/redeem", tags=["reach"])
def redeem_points(request: Request, written: WrittenPoints) -> Outcome:
    """Spend points of a customer, all or none; a refusal says why."""
    ask = redeem(
        written.key,
        written.customer_id,
        written.points,
        reason=written.reason,
        reference=written.reference,
        actor=request.state.caller.actor,
    )
    return carried_out(request, ask)


@router.post("/api/reach/points/reverse", tags=["reach"])
def reverse_points(request: Request, written: WrittenReversal) -> Outcome:
    """Take an earning or a redemption back; a refusal says why."""
    ask = reverse(
        written.key,
        written.operation,
        points=written.points,
        reason=written.reason,
        actor=request.state.caller.actor,
    )
    return carried_out(request, ask)


@router.get("/api/reach/points/balance", tags=["reach"])
def read_balance(request: Request, customer: str) -> Balance:
    """What a customer has."""
    caller = request.state.caller
    return ledger.balance(caller.workspace.state, customer, now=caller.now)


@router.get("/api/reach/points/history", tags=["reach"])
def read_history(request: Request, customer: str) -> list[Line]:
    """What happened to the points of a customer, the newest first."""
    return ledger.history(request.state.caller.workspace.state, customer)


@router.get("/api/reach/points/liability", tags=["reach"])
def read_liability(request: Request) -> Liability:
    """What the programme owes, by month of expiry."""
    caller = request.state.caller
    programme = find_programme(caller.workspace.state)
    value = programme.point_value if programme else Decimal(0)
    return liability(caller.workspace.state, point_value=value, now=caller.now)


@router.get("/api/reach/points/tiers", tags=["reach"])
def read_tiers(request: Request) -> dict[str, int]:
    """Customers of each tier."""
    state = request.state.caller.workspace.state
    programme = find_programme(state)
    return tier_counts(state, programme.tiers) if programme else {}


@router.get("/api/reach/points/programme", tags=["reach"])
def read_rules(request: Request) -> Programmes:
    """The rules, version by version."""
    found = versions(request.state.caller.workspace.state)
    return Programmes(found[-1].version if found else 0, found)


@router.put("/api/reach/points/programme", tags=["reach"])
def keep_rules(request: Request, written: WrittenRules) -> Programmes:
    """Keep rules as a new version, for orders that come from now on."""
    caller = request.state.caller
    workspace = caller.workspace
    keep_programme(
        workspace.state,
        written.body,
        actor=caller.actor,
        now=caller.now,
        currency=workspace.settings.retailer.currency,
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return read_rules(request)


@router.post("/api/reach/points/simulate", tags=["reach"])
def simulate_rules(request: Request, written: WrittenRules) -> Simulated:
    """What rules would have given for the orders of the last year, beside those in force."""
    return simulated(request, written.body)


def simulated(request: Request, body: str) -> Simulated:
    """Try rules on the orders of the last year.

    Args:
        request: The request.
        body: The rules as TOML.

    Returns:
        Points and their worth, beside the rules in force.

    Raises:
        InputError: The rules cannot be used, or there are no orders.
    """
    workspace = request.state.caller.workspace
    proposed = read_programme(body, currency=workspace.settings.retailer.currency)
    with workspace.holding() as app:
        day = newest_day(app.engine)
        if day is None:
            raise InputError("there are no orders yet; import some to try rules on them")
        return simulate(
            app.engine,
            find_programme(workspace.state),
            proposed,
            as_of=day,
            aliases=aliases(workspace.state),
        )
