"""Stages of a policy: shadow, canary, live or rolled back, each step with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.measure.experiments.gates.checks import sample_ratio_gate
from regulars.measure.experiments.inference.always_valid import read_any_time
from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.sufficient_statistics import Moments
from regulars.measure.off_policy.judging import Judgement
from regulars.numerics.hashing import keys_of, uniforms


class Stage(StrEnum):
    """How far a policy has come."""

    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class Move:
    """One look at a policy, and what followed from it.

    Attributes:
        at: When.
        before: Stage before.
        after: Stage after; the same where the evidence moved nothing.
        reason: Why, with the figures it rests on.
    """

    at: datetime
    before: Stage
    after: Stage
    reason: str


@dataclass(frozen=True)
class Challenger:
    """A policy on its way to replace the one that runs.

    Attributes:
        policy: Its name and version.
        share: Share of customers its canary serves, in (0, 1).
        stage: How far it has come.
        moves: Every look so far, the oldest first.
    """

    policy: str
    share: float = 0.05
    stage: Stage = Stage.SHADOW
    moves: tuple[Move, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a canary of nobody or of everybody.

        Raises:
            InputError: The share is not in (0, 1).
        """
        if not 0 < self.share < 1:
            raise InputError(f"the canary's share is {self.share}, must be in (0, 1), such as 0.05")

    def serves(self, customers: Sequence[str], *, seed: int) -> NDArray[np.bool_]:
        """Tell whom this policy decides for; the others keep the policy that ran before.

        Args:
            customers: Their ids.
            seed: Root of the draw.

        Returns:
            True where it decides; shape (customers,). A canary that is widened keeps everybody
            it had.
        """
        if self.stage is Stage.CANARY:
            return uniforms(keys_of(list(customers)), seed, "canary", self.policy) < self.share
        return np.full(len(customers), self.stage is Stage.LIVE)


def after_shadow(challenger: Challenger, judgement: Judgement, *, now: datetime) -> Challenger:
    """Let a policy that only watched go on to a canary, if the log says it is better.

    Args:
        challenger: In its shadow stage.
        judgement: What the log of the running policy says of it.
        now: The moment of the look; look as often as you like.

    Returns:
        The policy in its canary, or where it was, with the reason.

    Raises:
        InputError: It is not in its shadow stage.

    Source:
        Waudby-Smith et al. (2024), for the always-valid interval; rule *ours*: a policy should
        meet customers only after the log puts it above what runs.

    Example:
        >>> from datetime import UTC
        >>> from regulars.measure.off_policy import judge, logged
        >>> arm = np.random.default_rng(1).integers(0, 2, 4000)
        >>> log = logged(arm, 1.0 * arm, np.full(4000, 0.5), np.tile([0.2, 0.8], (4000, 1)))
        >>> moment = datetime(2026, 3, 1, tzinfo=UTC)
        >>> after_shadow(Challenger("linear-2"), judge(log), now=moment).stage.value
        'canary'
    """
    _require(challenger, Stage.SHADOW)
    if judgement.refusals:
        return _moved(challenger, Stage.SHADOW, judgement.refusals[0], now)
    value, gain = judgement.values["doubly_robust"].value, judgement.gain
    said = f"doubly robust value {value:.4g}, ran {judgement.logged_value:.4g}"
    if gain is not None:
        said += f": {gain.value:+.4g} a decision [{gain.low:+.4g}, {gain.high:+.4g}]"
    return _moved(challenger, Stage.CANARY if judgement.is_better() else Stage.SHADOW, said, now)


def after_canary(
    challenger: Challenger,
    champion_rewards: Moments,
    own_rewards: Moments,
    *,
    now: datetime,
    tuned_at: float = 10_000.0,
    level: float = 0.95,
    worst: float = 0.0,
) -> Challenger:
    """Promote a canary that earns more, roll back one that earns less, else let it go on.

    Args:
        challenger: In its canary.
        champion_rewards: Moments of the rewards of customers the running policy served.
        own_rewards: Moments of those the canary served.
        now: The moment of the look; look as often as you like.
        tuned_at: Customers at which the interval is tightest.
        level: Coverage of the always-valid interval, in (0, 1).
        worst: Loss per customer that is borne, >= 0: it is rolled back once the interval lies
            below minus this.

    Returns:
        The policy live, rolled back, or in its canary still, with the reason. A split that is
        not as designed moves nothing.

    Raises:
        InputError: It is not in its canary.

    Source:
        Waudby-Smith et al. (2021), for the always-valid interval; rule *ours*.

    Example:
        >>> from datetime import UTC
        >>> from regulars.measure.experiments import moments
        >>> moment = datetime(2026, 3, 1, tzinfo=UTC)
        >>> canary = Challenger("linear-2", stage=Stage.CANARY)
        >>> found = after_canary(
        ...     canary, moments(95_000, 1.0, 4.0), moments(5000, 1.3, 4.0), now=moment
        ... )
        >>> found.stage.value
        'live'
    """
    _require(challenger, Stage.CANARY)
    counts = {"champion": int(champion_rewards.count), "canary": int(own_rewards.count)}
    design = {"champion": 1 - challenger.share, "canary": challenger.share}
    broken = sample_ratio_gate(counts, design, alpha=0.001, watched_over=tuned_at)
    if broken:
        return _moved(challenger, Stage.CANARY, broken[0].says, now)
    reading = read_any_time(
        difference(champion_rewards, own_rewards), tuned_at=tuned_at, level=level
    )
    low, high = float(reading.low), float(reading.high)
    said = f"{float(reading.effect):+.4g} per customer [{low:.4g}, {high:.4g}]"
    if low > 0:
        return _moved(challenger, Stage.LIVE, said, now)
    after = Stage.ROLLED_BACK if high < -worst else Stage.CANARY
    return _moved(challenger, after, said, now)


def roll_back(challenger: Challenger, *, reason: str, now: datetime) -> Challenger:
    """Take a policy back at once, whatever its stage.

    Args:
        challenger: The policy.
        reason: Why; kept with the move.
        now: The moment.

    Returns:
        The policy rolled back: it decides for nobody.

    Raises:
        InputError: No reason was given.

    Example:
        >>> from datetime import UTC
        >>> live = Challenger("linear-2", stage=Stage.LIVE)
        >>> found = roll_back(live, reason="stock ran out", now=datetime(2026, 3, 1, tzinfo=UTC))
        >>> found.stage.value, found.serves(["c1"], seed=7).tolist()
        ('rolled_back', [False])
    """
    if not reason.strip():
        raise InputError("reason is empty; say why the policy is taken back")
    return _moved(challenger, Stage.ROLLED_BACK, reason, now)


def _moved(challenger: Challenger, after: Stage, reason: str, now: datetime) -> Challenger:
    move = Move(now, challenger.stage, after, reason)
    return replace(challenger, stage=after, moves=(*challenger.moves, move))


def _require(challenger: Challenger, stage: Stage) -> None:
    if challenger.stage is not stage:
        raise InputError(
            f"{challenger.policy} is in stage {challenger.stage}, must be in {stage}; look at it "
            "with the function of its own stage"
        )
