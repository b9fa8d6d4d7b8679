"""Policies in the state: staged in the shadow, promoted on evidence, rolled back at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from ibis.expr.types import Table

from regulars.adjust.policies.rewards import logged_for
from regulars.adjust.policies.tables import drawn, meant, rewarded
from regulars.decide.online.deciding import version_of
from regulars.decide.policies.rule import Choosing, Rule
from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.govern.audit.service import record
from regulars.measure.experiments.sufficient_statistics import moments_of
from regulars.measure.off_policy import (
    Challenger,
    Judgement,
    Stage,
    after_canary,
    after_shadow,
    judge,
)
from regulars.numerics.hashing import key_of, mixed
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State, Transaction
from regulars.settings import Loop
from regulars.understand.segments.audiences.judging.activity import renamed
from regulars.unify.identity.service import aliases

NAME = r"[a-z0-9][a-z0-9_.-]{0,63}"
FRESH = timedelta(seconds=1)
"""How long another process may go on by a policy that was taken back."""
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Moved:
    """One move of a policy.

    Attributes:
        policy: The policy.
        verb: stage, promote or rollback.
        before_stage: Stage before; "" for a new one.
        after_stage: Stage after.
        reason: Why, with the figures it rests on.
        actor: Who.
        at: When, ISO 8601.
    """

    policy: str
    verb: str
    before_stage: str
    after_stage: str
    reason: str
    actor: str
    at: str


@dataclass(frozen=True)
class Staged:
    """One policy as it stands.

    Attributes:
        rule: How it chooses.
        share: Share of customers its canary serves.
        stage: shadow, canary, live or rolled_back.
        since: Since when, ISO 8601.
        moves: Its moves, the oldest first.
    """

    rule: Rule
    share: float
    stage: Stage
    since: str
    moves: tuple[Moved, ...]


@dataclass(frozen=True)
class Judged:
    """What the log says of a policy.

    Attributes:
        policy: The policy.
        judgement: Off-policy values, or why there are none; None before any decision counts.
        says: Why there is no judgement; "" where there is.
    """

    policy: str
    judgement: Judgement | None
    says: str


def stage_policy(state: State, rule: Rule, *, share: float, actor: str, now: datetime) -> Staged:
    """Put a new policy into the shadow: it decides for nobody, the log is asked about it.

    Args:
        state: The transactional store.
        rule: How it chooses; another rule is another policy, under another name.
        share: Share of customers its canary will serve, in (0, 1).
        actor: Who stages it.
        now: The moment, aware.

    Returns:
        The policy.

    Raises:
        InputError: The name is taken or no name, or the share is not in (0, 1).
    """
    Challenger(rule.name, share)
    if not re.fullmatch(NAME, rule.name):
        raise InputError(f"name is {rule.name!r}; give small letters, digits, '-', '_' or '.'")
    with state.transaction() as opened:
        if any(one.rule.name == rule.name for one in _all(opened)):
            raise InputError(f"there is a policy {rule.name} already; give a new one another name")
        values = {name: getattr(rule, name) for name in ("temperature", "epsilon", "width")}
        values["choosing"] = rule.choosing.value
        at = now.astimezone(UTC).isoformat()
        opened.run(_SQL["stage"], name=rule.name, share=share, actor=actor, at=at, **values)
        _note(opened, rule.name, "stage", ("", Stage.SHADOW), "it watches", actor=actor, now=now)
        return _one(opened, rule.name)


def policies(state: State) -> list[Staged]:
    """List the policies, the one moved last first."""
    with state.reading() as opened:
        return _all(opened)


def find_policy(state: State, name: str) -> Staged:
    """Give one policy.

    Returns:
        The policy as it stands.

    Raises:
        UnknownName: There is none of that name.
    """
    with state.reading() as opened:
        return _one(opened, name)


def judged(engine: Reader, state: State, one: Staged, loop: Loop, *, now: datetime) -> Judged:
    """Ask the log of online decisions what a policy would have earned.

    Args:
        engine: Opens the lake.
        state: Who is who.
        one: The policy.
        loop: Window, margin rate, exploration and seed of the workspace.
        now: The moment, aware.

    Returns:
        What the log says.
    """
    rows = _rows(engine, state, loop, drawn, now=now)
    try:
        log = logged_for(rows, one.rule, floor=loop.exploration_floor, seed=loop.seed)
    except NotReady as error:
        return Judged(one.rule.name, None, str(error))
    return Judged(one.rule.name, judge(log), "")


def promote_policy(
    engine: Reader, state: State, name: str, loop: Loop, *, actor: str, now: datetime
) -> Staged:
    """Let a policy go one stage on, if what was seen of it says so.

    From the shadow to a canary by the log; from the canary to all by what its customers brought
    against those of the others. A canary that earns less is rolled back instead.

    Args:
        engine: Opens the lake.
        state: The transactional store.
        name: The policy.
        loop: Window, margin rate, exploration and seed of the workspace.
        actor: Who asks.
        now: The moment, aware.

    Returns:
        The policy where it is now.

    Raises:
        UnknownName: There is none of that name.
        NotAllowed: A gate is closed, or the evidence moves nothing; the reason is told.
    """
    one = find_policy(state, name)
    moved = _after(engine, state, one, loop, now=now)
    reason = moved.moves[-1].reason
    if moved.stage is one.stage:
        raise NotAllowed("policy-gates", f"{name} stays in its stage, {one.stage}: {reason}")
    verb = "rollback" if moved.stage is Stage.ROLLED_BACK else "promote"
    with state.transaction() as opened:
        _require_room(opened, name, moved.stage, actor=actor, now=now)
        _move(opened, one, moved.stage, verb, reason, actor=actor, now=now)
        return _one(opened, name)


def _after(engine: Reader, state: State, one: Staged, loop: Loop, *, now: datetime) -> Challenger:
    """Give where what was seen of a policy puts it.

    Returns:
        The policy there, with the reason.

    Raises:
        NotAllowed: Too little was seen, or there is no stage to go on to.
    """
    name = one.rule.name
    challenger = Challenger(name, one.share, one.stage)
    if one.stage is Stage.SHADOW:
        found = judged(engine, state, one, loop, now=now)
        if found.judgement is None:
            raise NotAllowed("policy-gates", f"{name} stays in the shadow: {found.says}")
        return after_shadow(challenger, found.judgement, now=now)
    if one.stage is not Stage.CANARY:
        raise NotAllowed("policy-gates", f"{name} is {one.stage}; there is no stage to go on to")
    since = datetime.fromisoformat(one.since)
    rows = _rows(engine, state, loop, lambda made: meant(made, since=since), now=now)
    sides = _sides(rows, one, seed=loop.seed)
    if min(len(side) for side in sides) < 2:
        raise NotAllowed(
            "policy-gates",
            f"{name} stays a canary: {len(sides[1])} of its customers and {len(sides[0])} "
            f"others have had their {loop.window_days} days, wait for more",
        )
    return after_canary(challenger, moments_of(sides[0]), moments_of(sides[1]), now=now)


def roll_back_policy(state: State, name: str, *, reason: str, actor: str, now: datetime) -> Staged:
    """Take a policy back at once: it decides for nobody.

    Where another is live that one decides, else the policy of the loop; one that was displaced
    when this one went live stays rolled back.

    Args:
        state: The transactional store.
        name: The policy.
        reason: Why; it is kept.
        actor: Who.
        now: The moment, aware.

    Returns:
        The policy.

    Raises:
        UnknownName: There is none of that name.
        InputError: No reason is given, or it was taken back already.
    """
    if not reason.strip():
        raise InputError("reason is empty; say why the policy is taken back")
    with state.transaction() as opened:
        one = _one(opened, name)
        if one.stage is Stage.ROLLED_BACK:
            raise InputError(f"{name} is rolled back already; there is nothing to take back")
        _move(opened, one, Stage.ROLLED_BACK, "rollback", reason.strip(), actor=actor, now=now)
        return _one(opened, name)


class Serving:
    """Tells which challenger chooses for a customer, in one process.

    Args:
        state: The transactional store.
        seed: The workspace's seed; it draws who is in a canary.
    """

    def __init__(self, state: State, *, seed: int) -> None:
        """Read nothing yet."""
        self._state, self._seed = state, seed
        self._rows: Sequence[Mapping[str, Any]] = ()
        self._looked_at: datetime | None = None

    def forget(self) -> None:
        """Look again when the next customer comes."""
        self._looked_at = None

    def rule_of(self, customer_id: str, now: datetime) -> Rule | None:
        """Give the challenger that chooses for a customer.

        Args:
            customer_id: Who, by the present id.
            now: The moment, aware.

        Returns:
            The canary for its share of customers, else what is live; None for the policy of the
            loop.
        """
        looked = self._looked_at
        if looked is None or not timedelta(0) <= now - looked < FRESH:
            with self._state.reading() as opened:
                self._rows, self._looked_at = opened.all(_SQL["serving"]), now
        live = None
        for row in self._rows:
            if row["stage"] == Stage.LIVE:
                live = row
            elif in_canary(customer_id, row["name"], row["share"], seed=self._seed):
                return _rule(row)
        return None if live is None else _rule(live)


def in_canary(customer_id: str, policy: str, share: float, *, seed: int) -> bool:
    """Tell whether a canary serves a customer, as `Challenger.serves` tells of many.

    Returns:
        True for the customers of the canary.

    Example:
        >>> from regulars.measure.off_policy import Challenger, Stage
        >>> many = Challenger("soft", 0.3, Stage.CANARY).serves(["a", "b", "c"], seed=7).tolist()
        >>> many == [in_canary(one, "soft", 0.3, seed=7) for one in "abc"]
        True
    """
    return mixed(key_of(customer_id), key_of(seed, "canary", policy)) < share


def _rows(
    engine: Reader, state: State, loop: Loop, kept: Callable[[Table], Table], *, now: datetime
) -> list[dict[str, Any]]:
    known = aliases(state)
    return engine.rows(
        rewarded(
            kept(renamed(engine.table("online_decisions"), known)),
            renamed(engine.table("orders").select("customer_id", "ordered_at", "total"), known),
            window_days=loop.window_days,
            margin_rate=loop.margin_rate,
            now=now,
        )
    )


def _sides(rows: Sequence[Mapping[str, Any]], one: Staged, *, seed: int) -> list[list[float]]:
    """Mean reward per customer since the canary began: of the others, and of its own."""
    own = version_of(one.rule)
    by_customer: dict[str, list[float]] = {}
    for row in rows:
        mine = in_canary(row["customer_id"], one.rule.name, one.share, seed=seed)
        # Whoever the policy decided for that it should not have, or the other way, counts where
        # the draw put him: what was meant is compared, not what came of it.
        by_customer.setdefault(f"{own if mine else ''}|{row['customer_id']}", []).append(
            row["reward"]
        )
    found: list[list[float]] = [[], []]
    for key, rewards in sorted(by_customer.items()):
        found[not key.startswith("|")].append(float(np.mean(rewards)))
    return found


def _rule(row: Mapping[str, Any]) -> Rule:
    settings = (row[name] for name in ("temperature", "epsilon", "width"))
    return Rule(row["name"], Choosing(row["choosing"]), *settings)


def _all(opened: Transaction) -> list[Staged]:
    moves = [Moved(**row) for row in opened.all(_SQL["moves"])]
    return [
        Staged(
            _rule(row),
            row["share"],
            Stage(row["stage"]),
            row["since"],
            tuple(one for one in moves if one.policy == row["name"]),
        )
        for row in opened.all(_SQL["list"])
    ]


def _one(opened: Transaction, name: str) -> Staged:
    known = _all(opened)
    for one in known:
        if one.rule.name == name:
            return one
    raise UnknownName("policy", name, [one.rule.name for one in known])


def _require_room(
    opened: Transaction, name: str, stage: Stage, *, actor: str, now: datetime
) -> None:
    """One canary at a time, and one live: who goes live takes the place of who was."""
    for other in _all(opened):
        if other.rule.name == name or other.stage is not stage:
            continue
        if stage is Stage.CANARY:
            raise NotAllowed(
                "policy-gates",
                f"{other.rule.name} is a canary now; let it go live or roll it back first",
            )
        if stage is Stage.LIVE:
            reason = f"{name} took its place"
            _move(opened, other, Stage.ROLLED_BACK, "rollback", reason, actor=actor, now=now)


def _move(
    opened: Transaction,
    one: Staged,
    after: Stage,
    verb: str,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    values = {"stage": after.value, "before": one.stage.value, "actor": actor}
    at = now.astimezone(UTC).isoformat()
    if not opened.run(_SQL["move"], name=one.rule.name, at=at, **values):
        raise NotAllowed("policy-gates", f"{one.rule.name} was moved meanwhile; look again")
    _note(opened, one.rule.name, verb, (one.stage, after), reason, actor=actor, now=now)


def _note(
    opened: Transaction,
    policy: str,
    verb: str,
    stages: tuple[str, str],
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    [row] = opened.all(_SQL["next_move"])
    before, after = (str(one) for one in stages)
    opened.run(
        _SQL["note"],
        number=row["number"],
        policy=policy,
        verb=verb,
        before_stage=before,
        after_stage=after,
        reason=reason,
        actor=actor,
        at=now.astimezone(UTC).isoformat(),
    )
    record(
        opened,
        actor=actor,
        action=f"policy.{verb}",
        subject=f"policy/{policy}",
        detail={"before": before, "after": after, "reason": reason},
        at=now,
    )
