"""Policies on their way: staged, judged by the log, promoted on evidence, taken back."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.adjust.policies.service import (
    Judged,
    Staged,
    judged,
    policies,
    promote_policy,
    roll_back_policy,
    stage_policy,
)
from regulars.decide.policies.rule import Choosing, Rule
from regulars.measure.off_policy import Stage
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Wanted(BaseModel):
    """A new policy."""

    model_config = ConfigDict(extra="forbid")

    choosing: Choosing = Choosing.BEST_VALUE
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    epsilon: float = Field(default=0.1, ge=0, le=1)
    width: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    share: float = Field(default=0.05, gt=0, lt=1)


class TakenBack(BaseModel):
    """Why a policy is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


@dataclass(frozen=True)
class Seen:
    """A policy, and what the log says of it while it watches.

    Attributes:
        policy: The policy.
        judged: What the log says; None once it serves or was taken back.
    """

    policy: Staged
    judged: Judged | None


def seen(caller: Caller) -> list[Seen]:
    """Give every policy, and what the log says of those that watch."""
    workspace = caller.workspace
    found = policies(workspace.state)
    if not any(one.stage is Stage.SHADOW for one in found):
        return [Seen(one, None) for one in found]
    with workspace.reading() as engine:
        return [
            Seen(
                one,
                judged(engine, workspace.state, one, workspace.settings.loop, now=caller.now)
                if one.stage is Stage.SHADOW
                else None,
            )
            for one in found
        ]


def stage_of(caller: Caller, name: str, wanted: Wanted) -> Staged:
    """Put a new policy into the shadow."""
    rule = Rule(name, wanted.choosing, wanted.temperature, wanted.epsilon, wanted.width)
    state = caller.workspace.state
    return stage_policy(state, rule, share=wanted.share, actor=caller.actor, now=caller.now)


def promote_of(caller: Caller, name: str) -> Staged:
    """Let a policy go one stage on, if what was seen of it says so."""
    workspace = caller.workspace
    with workspace.reading() as engine:
        found = promote_policy(
            engine,
            workspace.state,
            name,
            workspace.settings.loop,
            actor=caller.actor,
            now=caller.now,
        )
    workspace.policies.forget()
    return found


def rollback_of(caller: Caller, name: str, reason: str) -> Staged:
    """Take a policy back at once."""
    workspace = caller.workspace
    found = roll_back_policy(
        workspace.state, name, reason=reason, actor=caller.actor, now=caller.now
    )
    workspace.policies.forget()
    return found


@router.get("/api/decide/policies", tags=["decide"])
def read_policies(request: Request) -> dict[str, Any]:
    """Every policy with its stage and moves, and what the log says of those that watch."""
    return {"policies": [asdict(one) for one in seen(request.state.caller)]}


@router.put("/api/decide/policies/{name}", tags=["decide"])
def put_policy(request: Request, name: str, wanted: Wanted) -> dict[str, Any]:
    """Put a new policy into the shadow."""
    return asdict(stage_of(request.state.caller, name, wanted))


@router.post("/api/decide/policies/{name}/promote", tags=["decide"])
def post_promote(request: Request, name: str) -> dict[str, Any]:
    """Let it go one stage on; refused, with the reason, when the evidence is not there."""
    return asdict(promote_of(request.state.caller, name))


@router.post("/api/decide/policies/{name}/rollback", tags=["decide"])
def post_rollback(request: Request, name: str, back: TakenBack) -> dict[str, Any]:
    """Take it back at once."""
    return asdict(rollback_of(request.state.caller, name, back.reason))
