"""Which model serves, how good it is and against whom; promote one, or go back."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.journal import next_turn
from regulars.serve.http.door.guard import Caller
from regulars.understand.champions.service import Line, lines, promote, rollback

router = APIRouter()


class Why(BaseModel):
    """Why somebody changes who serves."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class Promoted(Why):
    """Which recipe shall serve, and why."""

    version: str = Field(min_length=1, max_length=64)


@router.get("/api/adjust/models", tags=["adjust"])
def read_models(request: Request) -> dict[str, Any]:
    """Every model: what serves from which turn, its versions, what was tried, who changed it."""
    return {"models": [asdict(one) for one in lines_of(request.state.caller)]}


@router.post("/api/adjust/models/{family}/promote", tags=["adjust"])
def post_promote(request: Request, family: str, promoted: Promoted) -> dict[str, Any]:
    """Let a recipe serve from the next turn on."""
    turn = promote_of(request.state.caller, family, promoted)
    return {"family": family, "champion": promoted.version, "from_turn": turn}


@router.post("/api/adjust/models/{family}/rollback", tags=["adjust"])
def post_rollback(request: Request, family: str, why: Why) -> dict[str, Any]:
    """Go back to the champion before, from the next turn on."""
    version, turn = rollback_of(request.state.caller, family, why)
    return {"family": family, "champion": version, "from_turn": turn}


def lines_of(caller: Caller) -> list[Line]:
    """Give every model as the next turn will be served."""
    state = caller.workspace.state
    return lines(state, turn=next_turn(state), now=caller.now)


def promote_of(caller: Caller, family: str, promoted: Promoted) -> int:
    """Let a recipe serve.

    Args:
        caller: Who says so, and in which workspace.
        family: value, orders, churn or response.
        promoted: Which, and why.

    Returns:
        The first turn it serves in.
    """
    state = caller.workspace.state
    turn = next_turn(state)
    promote(
        state,
        family,
        promoted.version,
        turn=turn,
        actor=caller.actor,
        reason=promoted.reason,
        now=caller.now,
    )
    return turn


def rollback_of(caller: Caller, family: str, why: Why) -> tuple[str, int]:
    """Go back to the champion before.

    Args:
        caller: Who says so, and in which workspace.
        family: value, orders, churn or response.
        why: Why.

    Returns:
        Who serves again, and the first turn.
    """
    state = caller.workspace.state
    turn = next_turn(state)
    again = rollback(
        state, family, turn=turn, actor=caller.actor, reason=why.reason, now=caller.now
    )
    return again, turn
