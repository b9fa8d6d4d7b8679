"""Awaited rewards: what came of a decision is known days later, or never."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regulars.decide.bandits.drawing import Decision
from regulars.decide.bandits.linear_arms import LinearArms
from regulars.errors import InputError


@dataclass(frozen=True)
class Awaited:
    """A decision whose reward is still to come.

    Attributes:
        decision: What was decided.
        context: What was known, shape (features,).
        at: When.
    """

    decision: Decision
    context: tuple[float, ...]
    at: datetime


@dataclass
class Awaiting:
    """Decisions waiting for their rewards; silence after the window counts as nothing.

    A reward that is taken in at once while non-rewards are never would make every arm look
    good; so each decision is learned from exactly once: at its reward, or at the window's end.

    Attributes:
        window: How long a reward may take.
        by_key: Decisions waiting, by key.
    """

    window: timedelta
    by_key: dict[str, Awaited] = field(default_factory=dict)

    def decided(
        self, key: str, decision: Decision, context: tuple[float, ...], *, at: datetime
    ) -> None:
        """Remember a decision; the same key again changes nothing."""
        self.by_key.setdefault(key, Awaited(decision, context, at))

    def rewarded(self, arms: LinearArms, key: str, reward: float, *, at: datetime) -> bool:
        """Learn from a reward, once.

        Returns:
            False when nothing was waiting for it: it came twice, or after the window.

        Raises:
            InputError: The reward is dated before the decision.
        """
        waiting = self.by_key.get(key)
        if waiting is None or at > waiting.at + self.window:
            return False
        if at < waiting.at:
            raise InputError(
                f"the reward of {key} is dated {at.isoformat()}, before its decision; correct the "
                "clock of its source"
            )
        del self.by_key[key]
        arms.learn(waiting.decision.arm, waiting.context, reward)
        return True

    def close(self, arms: LinearArms, *, now: datetime) -> int:
        """Learn that nothing came of decisions whose window is over.

        Returns:
            Decisions closed.
        """
        over = [key for key, one in self.by_key.items() if now > one.at + self.window]
        for key in over:
            waiting = self.by_key.pop(key)
            arms.learn(waiting.decision.arm, waiting.context, 0.0)
        return len(over)
