"""What was changed and why, alerts, channels left alone, and what was learned."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.adjust.alerts.holding import Word
from regulars.adjust.alerts.service import alert_tasks, say, seen, take_back, words_of
from regulars.adjust.autotune.service import relearn, unlearn, unlearned
from regulars.adjust.review.service import (
    alerts_since,
    change_log,
    cycle_of,
    holds_now,
    learnings,
)
from regulars.journal import next_turn
from regulars.measure.experiments.keeping.record import plain
from regulars.measure.experiments.keeping.service import concluded
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.numbers import NumberInPath, TurnAsked

router = APIRouter()


class Said(BaseModel):
    """What a person says of a channel."""

    model_config = ConfigDict(extra="forbid")

    is_held: bool
    turns: int = Field(default=4, ge=1, le=520)
    reason: str = Field(min_length=1, max_length=500)


class Why(BaseModel):
    """Why a person undoes something."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


@router.get("/api/adjust/log", tags=["adjust"])
def read_log(request: Request, turn: TurnAsked = 0, limit: int = 200) -> dict[str, Any]:
    """What was changed, newest first, each with what it was before and the evidence."""
    with request.state.caller.workspace.reading() as engine:
        return {"changes": change_log(engine, turn=turn, limit=min(max(limit, 1), 5000))}


@router.get("/api/adjust/alerts", tags=["adjust"])
def read_alerts(request: Request, turns: TurnAsked = 4) -> dict[str, Any]:
    """Shares of channels that left their limits, channels left alone, and what people said."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        found = {"alerts": alerts_since(engine, turns=turns), "holds": holds_now(engine)}
    return found | {
        "tasks": [asdict(one) for one in alert_tasks(workspace.state)],
        "said": [asdict(word) for word in words_of(workspace.state)],
    }


@router.post("/api/adjust/alerts/{channel}/seen", tags=["adjust"])
def post_seen(request: Request, channel: str) -> dict[str, Any]:
    """Say that the alert about a channel was looked at; * for the effect of all contacts."""
    caller: Caller = request.state.caller
    seen(caller.workspace.state, channel, actor=caller.actor, now=caller.now)
    return {"channel": channel, "is_seen": True}


@router.put("/api/adjust/turns/{turn}/unlearned", tags=["adjust"])
def put_unlearned(request: Request, turn: NumberInPath, why: Why) -> dict[str, Any]:
    """Take back what was learned from a turn; the next turn learns anew without it."""
    caller: Caller = request.state.caller
    state = caller.workspace.state
    unlearn(state, turn, reason=why.reason, actor=caller.actor, now=caller.now)
    return {"left_out": [asdict(one) for one in unlearned(state)]}


@router.delete("/api/adjust/turns/{turn}/unlearned", tags=["adjust"])
def delete_unlearned(request: Request, turn: NumberInPath) -> dict[str, Any]:
    """Let a turn that was left out count again."""
    caller: Caller = request.state.caller
    relearn(caller.workspace.state, turn, actor=caller.actor, now=caller.now)
    return {"left_out": [asdict(one) for one in unlearned(caller.workspace.state)]}


@router.get("/api/adjust/learnings", tags=["adjust"])
def read_learnings(request: Request) -> dict[str, Any]:
    """What has been learned of each offer and channel, and from experiments people concluded."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        found = {"learnings": [asdict(one) for one in learnings(engine)]}
    return found | {"experiments": [plain(one) for one in concluded(workspace.state)]}


@router.get("/api/adjust/review/{turn}", tags=["adjust"])
def read_review(request: Request, turn: NumberInPath) -> dict[str, Any]:
    """What a turn planned, did, found, and what was changed because of it."""
    with request.state.caller.workspace.reading() as engine:
        return asdict(cycle_of(engine, turn))


@router.put("/api/adjust/channels/{channel}", tags=["adjust"])
def put_word(request: Request, channel: str, said: Said) -> dict[str, Any]:
    """Leave a channel alone for some turns, or use it whatever alerts say."""
    turn = say_of(request.state.caller, channel, said)
    return {
        "channel": channel,
        "is_held": said.is_held,
        "from_turn": turn,
        "until_turn": turn + said.turns,
    }


@router.delete("/api/adjust/channels/{channel}", tags=["adjust"])
def delete_word(request: Request, channel: str) -> dict[str, Any]:
    """Take back what was said of a channel: the loop chooses again."""
    caller: Caller = request.state.caller
    take_back(caller.workspace.state, channel, actor=caller.actor, now=caller.now)
    return {"channel": channel, "said": None}


def say_of(caller: Caller, channel: str, said: Said) -> int:
    """Put down a person's word about a channel.

    Args:
        caller: Who says it, and in which workspace.
        channel: The channel.
        said: The word.

    Returns:
        The turn from which on it counts.
    """
    workspace = caller.workspace
    turn = next_turn(workspace.state)
    say(
        workspace.state,
        Word(channel, said.is_held, turn + said.turns, said.reason),
        turn=turn,
        channels=tuple(workspace.settings.channels),
        actor=caller.actor,
        now=caller.now,
    )
    return turn
