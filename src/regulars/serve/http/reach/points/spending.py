"""What customers do for points and with them: rewards, check-ins, tasks, friends, draws."""

import secrets

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.audit.service import anchor
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.loyalty.acting.service import Bought, buy_reward
from regulars.reach.loyalty.draws import service as drawing
from regulars.reach.loyalty.draws.drawing import Doubt
from regulars.reach.loyalty.draws.service import Drawn, Round
from regulars.reach.loyalty.ledger import Outcome
from regulars.reach.loyalty.referrals.service import Told, refer
from regulars.reach.loyalty.visiting import service as visiting
from regulars.reach.loyalty.visiting.service import CheckIn
from regulars.serve.http.reach.points.holding import Holding, holding

router = APIRouter()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Visitor(_Strict):
    """Who does something."""

    customer_id: str = Field(min_length=1, max_length=200)


class Drawing(Visitor):
    """Who draws; `key` names the draw, and the same again is the same draw."""

    key: str = Field(min_length=1, max_length=200)


class Purchase(Drawing):
    """What reward somebody buys."""

    reward_id: str = Field(min_length=1, max_length=200)


class Done(Drawing):
    """What task somebody did."""

    task_id: str = Field(min_length=1, max_length=200)


class Friend(Visitor):
    """Whom somebody brought."""

    friend_id: str = Field(min_length=1, max_length=200)


@router.get("/api/reach/points/member", tags=["reach"])
def read_member(request: Request, customer: str) -> Holding:
    """What a customer holds: points, lots about to end, tier, badges, friends, coupons."""
    caller = request.state.caller
    return holding(caller.workspace.state, customer, now=caller.now)


@router.post("/api/reach/points/buy", tags=["reach"])
def buy(request: Request, wanted: Purchase) -> Bought:
    """Spend points on a reward: a coupon, or nothing; a refusal says why."""
    caller = request.state.caller
    with caller.workspace.state.transaction() as opened:
        return buy_reward(
            opened,
            wanted.customer_id,
            wanted.reward_id,
            wanted.key,
            actor=caller.actor,
            now=caller.now,
            issue_coupon=issue_coupon,
        )


@router.post("/api/reach/points/check-in", tags=["reach"])
def check_in(request: Request, visitor: Visitor) -> CheckIn:
    """Check a customer in; once a day counts."""
    caller = request.state.caller
    workspace = caller.workspace
    zone = workspace.settings.retailer.zone
    return visiting.check_in(
        workspace.state, visitor.customer_id, actor=caller.actor, now=caller.now, zone=zone
    )


@router.post("/api/reach/points/task", tags=["reach"])
def complete_task(request: Request, done: Done) -> Outcome:
    """Give the points of a task a customer did, as often as the programme lets him."""
    caller = request.state.caller
    workspace = caller.workspace
    zone = workspace.settings.retailer.zone
    with workspace.state.transaction() as opened:
        return visiting.complete_task(
            opened,
            done.customer_id,
            done.task_id,
            done.key,
            actor=caller.actor,
            now=caller.now,
            zone=zone,
        )


@router.post("/api/reach/points/refer", tags=["reach"])
def bring_friend(request: Request, brought: Friend) -> Told:
    """Note that a customer brought a friend; both are paid after the friend's first order."""
    caller = request.state.caller
    return refer(
        caller.workspace.state,
        brought.customer_id,
        brought.friend_id,
        actor=caller.actor,
        now=caller.now,
    )


@router.post("/api/reach/points/draw", tags=["reach"])
def draw(request: Request, wanted: Drawing) -> Drawn:
    """Let a customer draw once, at the odds published; a refusal says why."""
    caller = request.state.caller
    workspace = caller.workspace
    with workspace.state.transaction() as opened:
        return drawing.take_draw(
            opened,
            wanted.customer_id,
            wanted.key,
            actor=caller.actor,
            now=caller.now,
            zone=workspace.settings.retailer.zone,
            new_seed=lambda: secrets.token_hex(32),
            issue_coupon=issue_coupon,
        )


@router.get("/api/reach/points/rounds", tags=["reach"])
def read_rounds(request: Request) -> list[Round]:
    """The rounds of draws, the newest first: promised by a hash, and shown when they end."""
    return drawing.rounds(request.state.caller.workspace.state)


@router.post("/api/reach/points/rounds/end", tags=["reach"])
def end_round(request: Request) -> Round:
    """End the round that goes on, and show its seed."""
    caller = request.state.caller
    workspace = caller.workspace
    told = drawing.end_round(workspace.state, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return told


@router.get("/api/reach/points/rounds/{number}/check", tags=["reach"])
def check_round(request: Request, number: int) -> list[Doubt]:
    """Work every draw of a round that ended out again; those that do not come out."""
    return drawing.check_round(request.state.caller.workspace.state, number)
