"""The step that brings consent, opt-outs, complaints and bounces into the state store."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from regulars.govern.consent.tables import newest_consents, refusals
from regulars.ports.engine import Engine
from regulars.ports.state import Queries, State
from regulars.ports.steps import step
from regulars.records import Turn

_SQL = Queries(__package__)


@step(reads="consents contact_outcomes", writes="")
def adopt_consents(engine: Engine, state: State, turn: Turn) -> int:
    """Adopt what customers said and what receipts forbid, in one transaction.

    Doing it again changes nothing, and the order in which files arrived does not matter.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        turn: The turn; a grant dated after its moment is not adopted yet.

    Returns:
        Words and receipts considered.
    """
    words = engine.rows(newest_consents(engine.table("consents"), turn.now))
    receipts = engine.rows(refusals(engine.table("contact_outcomes")))
    with state.transaction() as opened:
        opened.many(_SQL["adopt_consent"], [_stamped(word, "recorded_at") for word in words])
        opened.many(
            _SQL["suppress"],
            [
                {
                    "contact_key": receipt["contact_key"],
                    "customer_id": receipt["customer_id"],
                    "reason": receipt["kind"],
                    "since": _stamp(receipt["occurred_at"]),
                }
                for receipt in receipts
            ],
        )
        opened.run(_SQL["lift_answered"])
    return len(words) + len(receipts)


def _stamped(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    return {**row, column: _stamp(row[column])}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
