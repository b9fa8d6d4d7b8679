"""What was decided for one customer turn by turn, silence included, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from ibis import _
from pydantic import BaseModel, ConfigDict, Field

from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import (
    Kept,
    catalogue_rows,
    history,
    offers_in_force,
    put_offer,
)
from regulars.govern.audit.service import anchor
from regulars.ports.engine import Reader
from regulars.serve.http.door.workspaces import Workspace

router = APIRouter()
MOST_TURNS = 52


@dataclass(frozen=True)
class Candidate:
    """One action that was open to a customer.

    Attributes:
        offer_id: The offer.
        offer: Its name, or its id when it has none.
        channel: The channel.
        value: Incremental value expected of it, after all costs.
        contact_cost: Cost of the contact; None for a channel no longer used.
        offer_cost: What finance sets aside for the offer; None for an offer no longer known.
        probability: Probability it had, before holdouts.
        is_chosen: True for the action drawn.
    """

    offer_id: str
    offer: str
    channel: str
    value: float
    contact_cost: Decimal | None
    offer_cost: Decimal | None
    probability: float
    is_chosen: bool


@dataclass(frozen=True)
class RuledOut:
    """Actions closed to a customer for one reason.

    Attributes:
        reason: Reason code.
        actions: Offer name and channel of each.
    """

    reason: str
    actions: list[tuple[str, str]]


@dataclass(frozen=True)
class Decided:
    """What was decided for a customer in one turn.

    Attributes:
        turn: The turn.
        verdict: send, abstain, holdout, defer or skip.
        reason: Why it was decided so: a reason code.
        fate: How it ended: sent, abstained, holdout, deferred, skipped, failed, unknown; ""
            while the contacts of the turn are not out.
        fate_reason: Why it ended so: a reason code.
        at: Moment of hand-over; None when nothing was handed over.
        campaign_id: Campaign of the action drawn.
        offer: Name of the offer drawn.
        channel: Channel drawn.
        value: Incremental value the action was chosen by.
        propensity: Probability of what was decided.
        cost: Contact cost and planned offer cost.
        candidates: Open actions, the best first.
        ruled_out: Closed actions, by reason.
    """

    turn: int
    verdict: str
    reason: str
    fate: str
    fate_reason: str
    at: datetime | None
    campaign_id: str | None
    offer: str | None
    channel: str | None
    value: float
    propensity: float
    cost: Decimal
    candidates: list[Candidate]
    ruled_out: list[RuledOut]


@dataclass(frozen=True)
class KeptOffer:
    """One version of an offer.

    Attributes:
        version: 1 for the first.
        valid_from: Moment it holds from.
        valid_to: Moment the next version holds from; null while it is the newest.
        edited_by: Who kept it.
        note: Why.
        offer: What it says, money as text.
    """

    version: int
    valid_from: datetime
    valid_to: datetime | None
    edited_by: str
    note: str
    offer: dict[str, Any]


class WrittenOffer(BaseModel):
    """An offer as somebody writes it, and why."""

    model_config = ConfigDict(extra="forbid")

    offer: dict[str, Any]
    note: str = Field(default="", max_length=500)


def decisions(workspace: Workspace, engine: Reader, customer_id: str) -> list[Decided]:
    """Tell what was decided for a customer.

    Returns:
        One per turn, the newest first; at most a year of weekly turns.
    """
    mine = _.customer_id == customer_id
    rows = engine.rows(
        engine.table("decisions").filter(mine).order_by(_.turn.desc()).limit(MOST_TURNS)
    )
    contacts = engine.rows(engine.table("contacts").filter(mine))
    ended = {row["turn"]: row for row in contacts}
    catalogue = offers_in_force(workspace.state, at=datetime.now(UTC))
    imported = engine.rows(engine.table("offers"))
    offers = {row["offer_id"]: row for row in catalogue_rows(imported, catalogue)}
    costs = {name: part.cost for name, part in workspace.settings.channels.items()}
    return [_decided(row, ended.get(row["turn"], {}), offers, costs) for row in rows]


def _decided(
    row: Mapping[str, Any],
    end: Mapping[str, Any],
    offers: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, Decimal],
) -> Decided:
    chosen = (row["offer_id"], row["channel"])
    candidates = [
        _candidate(action, given, chosen, offers, costs)
        for action, given in json.loads(row["candidates"] or "{}").items()
    ]
    ruled_out = [
        RuledOut(reason, [_action(action, offers) for action in actions])
        for reason, actions in json.loads(row["verdicts"] or "{}").items()
    ]
    same = ("turn", "verdict", "reason", "campaign_id", "channel", "value", "propensity", "cost")
    return Decided(
        **{name: row[name] for name in same},
        offer=_name(row["offer_id"], offers) if row["offer_id"] else None,
        fate=end.get("fate") or "",
        fate_reason=end.get("reason") or "",
        at=end.get("at"),
        candidates=sorted(candidates, key=lambda c: (-c.value, c.offer_id, c.channel)),
        ruled_out=ruled_out,
    )


def _candidate(
    action: str,
    given: tuple[float, float],
    chosen: tuple[str | None, str | None],
    offers: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, Decimal],
) -> Candidate:
    offer_id, _colon, channel = action.rpartition(":")
    return Candidate(
        offer_id,
        _name(offer_id, offers),
        channel,
        given[0],
        costs.get(channel),
        offers.get(offer_id, {}).get("planned_cost"),
        given[1],
        (offer_id, channel) == chosen,
    )


def _action(action: str, offers: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    offer_id, _colon, channel = action.rpartition(":")
    return _name(offer_id, offers), channel


def _name(offer_id: str, offers: Mapping[str, Mapping[str, Any]]) -> str:
    return offers.get(offer_id, {}).get("name") or offer_id


@router.get("/api/decide/customers/{customer_id}", tags=["decide"])
def read_decisions(request: Request, customer_id: str) -> list[Decided]:
    """What was decided for one customer turn by turn, and what came of it."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        return decisions(workspace, engine, customer_id)


@router.get("/api/decide/offers", tags=["decide"])
def read_offers(request: Request) -> list[KeptOffer]:
    """The offers of the catalogue as they hold now."""
    caller = request.state.caller
    return [_kept(one) for one in offers_in_force(caller.workspace.state, at=caller.now)]


@router.get("/api/decide/offers/{offer_id}", tags=["decide"])
def read_offer(request: Request, offer_id: str) -> list[KeptOffer]:
    """Every version of one offer, the first first."""
    return [_kept(one) for one in history(request.state.caller.workspace.state, offer_id)]


@router.put("/api/decide/offers/{offer_id}", tags=["decide"])
def keep_offer(request: Request, offer_id: str, written: WrittenOffer) -> KeptOffer:
    """Keep an offer; one that changed is a new version, one that did not is not."""
    caller = request.state.caller
    workspace = caller.workspace
    zone = {"zone": workspace.settings.retailer.zone}
    offer = offer_from(zone | written.offer | {"offer_id": offer_id}, f"offer {offer_id}")
    kept = put_offer(workspace.state, offer, actor=caller.actor, now=caller.now, note=written.note)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return _kept(kept)


def _kept(one: Kept) -> KeptOffer:
    offer = dict(msgspec.to_builtins(one.offer))
    return KeptOffer(one.version, one.valid_from, one.valid_to, one.edited_by, one.note, offer)
