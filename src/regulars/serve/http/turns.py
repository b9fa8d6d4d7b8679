"""The turns of a workspace: which there were, and whether the last one is done."""

from dataclasses import dataclass

from regulars.ports.state import Queries, State

_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class TurnState:
    """One turn of the loop.

    Attributes:
        number: 1 for the first.
        as_of: Last day it looked at.
        now: The moment its contacts went out, ISO 8601 in UTC.
        status: How far it is, as the loop says.
    """

    number: int
    as_of: str
    now: str
    status: str


def turns(state: State) -> list[TurnState]:
    """List the turns of a workspace.

    Returns:
        The newest first; empty before the first turn.
    """
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["turns"])
    return [TurnState(**row) for row in rows]
