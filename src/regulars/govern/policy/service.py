"""The emergency stop: from its commit on no contact is claimed, until somebody resumes."""

from datetime import datetime

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)


def stop(state: State, reason: str, *, actor: str, at: datetime) -> None:
    """Stop every contact of the workspace.

    Contacts already claimed by a running turn, at most one batch per sender, still go out;
    the rest of the turn is skipped with reason `emergency_stop`.

    Args:
        state: The transactional store.
        reason: Why, in a person's words; the first one is shown until somebody resumes.
        actor: Who stops, for the audit log.
        at: The moment, aware.

    Raises:
        InputError: The reason is empty.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why contacts stop; give a few words")
    with state.transaction() as opened:
        opened.run(_SQL["stop"], reason=reason.strip())
        record(
            opened,
            actor=actor,
            action="contacts.stop",
            subject="*",
            detail={"reason": reason.strip()},
            at=at,
        )


def resume(state: State, *, actor: str, at: datetime) -> bool:
    """Let contacts go out again.

    Args:
        state: The transactional store.
        actor: Who resumes, for the audit log.
        at: The moment, aware.

    Returns:
        False when nothing was stopped.
    """
    with state.transaction() as opened:
        if not opened.run(_SQL["resume"]):
            return False
        record(opened, actor=actor, action="contacts.resume", subject="*", detail={}, at=at)
    return True


def stopped(state: State) -> str | None:
    """Tell why contacts are stopped.

    Returns:
        The reason given; None when contacts are not stopped.
    """
    with state.reading() as opened:
        found = opened.all(_SQL["stopped"])
    return str(found[0]["value"]) if found else None
