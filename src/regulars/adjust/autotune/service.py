"""Take back what was learned from a turn: the loop learns anew as if it had never been measured."""

from dataclasses import dataclass
from datetime import datetime

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Unlearned:
    """A turn nothing is learned from.

    Attributes:
        turn: The turn whose contacts and outcomes are left out.
        reason: Why.
        actor: Who said so.
        at: When, ISO 8601.
    """

    turn: int
    reason: str
    actor: str
    at: str


def unlearned(state: State) -> list[Unlearned]:
    """Give the turns nothing is learned from, by number; empty when all count."""
    with state.reading() as opened:
        return [Unlearned(**row) for row in opened.all(_SQL["unlearned"])]


def unlearn(state: State, turn: int, *, reason: str, actor: str, now: datetime) -> None:
    """Leave a turn out of what is learned, from the next turn on.

    Args:
        state: The transactional store.
        turn: Whose outcomes mislead, such as a turn in which the tills were down.
        reason: Why.
        actor: Who says so.
        now: The moment, aware.

    Raises:
        UnknownName: There was no such turn.
        InputError: No reason is given.
    """
    if not reason.strip():
        raise InputError("no reason is given; say why, it is kept beside the change")
    with state.transaction() as opened:
        known = [int(row["number"]) for row in opened.all(_SQL["turns"])]
        if turn not in known:
            raise UnknownName("turn", str(turn), map(str, known[:5]))
        opened.run(
            _SQL["unlearn"], turn=turn, reason=reason.strip(), actor=actor, at=now.isoformat()
        )
        record(
            opened,
            actor=actor,
            action="turn.unlearn",
            subject=f"turn/{turn}",
            detail={"reason": reason.strip()},
            at=now,
        )


def relearn(state: State, turn: int, *, actor: str, now: datetime) -> None:
    """Let a turn count again, from the next turn on.

    Args:
        state: The transactional store.
        turn: A turn that is left out.
        actor: Who says so.
        now: The moment, aware.

    Raises:
        InputError: It is not left out.
    """
    with state.transaction() as opened:
        if not opened.run(_SQL["relearn"], turn=turn):
            raise InputError(f"turn {turn} is not left out of what is learned; nothing to undo")
        record(
            opened, actor=actor, action="turn.relearn", subject=f"turn/{turn}", detail={}, at=now
        )
