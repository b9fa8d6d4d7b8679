"""Keep decisions in the transaction that acts on them, and tell them to the lake, each once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from regulars.decide.online.deciding import OnlineDecision
from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)


def keep_decisions(opened: Transaction, decisions: Sequence[OnlineDecision]) -> None:
    """Keep decisions; one that is kept already stays as it is.

    Args:
        opened: The write transaction that also writes what follows from them.
        decisions: The decisions.
    """
    opened.many(
        _SQL["keep"],
        [
            {
                "decision_id": one.decision_id,
                "customer_id": one.customer_id,
                "line": one.encoded().decode(),
            }
            for one in decisions
        ],
    )


def tell_decisions(state: State, tell: Callable[[Sequence[Mapping[str, Any]], int], object]) -> int:
    """Tell what was kept since the last time, and forget it.

    Killed anywhere and called again it tells nothing twice: a batch is numbered before it is
    told, and forgotten with the note that it was.

    Args:
        state: The transactional store.
        tell: Told the rows of a batch and its number, which only grows; takes a number once.

    Returns:
        Decisions told.
    """
    told = 0
    for _pass in range(2):  # one that an earlier process numbered, then what came since
        with state.transaction() as opened:
            known = opened.all(_SQL["last"])
            batch = int(known[0]["value"]) + 1 if known else 1
            rows = opened.all(_SQL["numbered"], batch=batch)
            if not rows:
                opened.run(_SQL["number"], batch=batch)
                rows = opened.all(_SQL["numbered"], batch=batch)
        if not rows:
            break
        tell([msgspec.json.decode(row["line"]) for row in rows], batch)
        told += len(rows)
        with state.transaction() as opened:
            opened.run(_SQL["move"], batch=str(batch))
            opened.run(_SQL["forget"], batch=batch)
    return told
