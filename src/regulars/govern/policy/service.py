"""The emergency stop: from its commit on no contact is claimed, until somebody resumes."""

from regulars.errors import InputError
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)


def stop(state: State, reason: str) -> None:
    """Stop every contact of the workspace.

    Contacts already claimed by a running turn, at most one batch per sender, still go out;
    the rest of the turn is skipped with reason `emergency_stop`.

    Args:
        state: The transactional store.
        reason: Why, in a person's words; shown until somebody resumes.

    Raises:
        InputError: The reason is empty.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why contacts stop; give a few words")
    with state.transaction() as opened:
        opened.run(_SQL["stop"], reason=reason.strip())


def resume(state: State) -> bool:
    """Let contacts go out again.

    Returns:
        False when nothing was stopped.
    """
    with state.transaction() as opened:
        return opened.run(_SQL["resume"]) > 0


def stopped(state: State) -> str | None:
    """Tell why contacts are stopped.

    Returns:
        The reason given; None when contacts are not stopped.
    """
    with state.reading() as opened:
        found = opened.all(_SQL["stopped"])
    return str(found[0]["value"]) if found else None
