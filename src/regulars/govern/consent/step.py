"""The step that brings consent, opt-outs, complaints and bounces into the state store."""

import json
from datetime import UTC, datetime
from typing import Any

from ibis.expr.types import Table as Definition

from regulars.govern.consent.service import change_row
from regulars.govern.consent.tables import (
    holding,
    latest_refusals,
    newest_words,
    refusals,
    rows_by_day,
)
from regulars.govern.consent.word import Word
from regulars.govern.suppression.reasons import Bar, SuppressionReason
from regulars.govern.suppression.service import lift_answered, suppress_in
from regulars.ports.engine import Engine
from regulars.ports.state import Queries, State, Transaction
from regulars.ports.steps import step
from regulars.records import Turn

ACTOR = "lake"
_SQL = Queries(__package__)


@step(reads="consents contact_outcomes", writes="")
def adopt_consents(engine: Engine, state: State, turn: Turn) -> int:
    """Adopt what customers said and what receipts forbid, in one transaction.

    Only days that gained facts since the last time are read, however old they are. Doing it
    again changes nothing, and the order in which files arrived does not matter.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        turn: The turn; a grant dated after its moment is not adopted yet.

    Returns:
        Words and receipts of the days that had news.
    """
    words = holding(engine.table("consents"), turn.now)
    receipts = refusals(engine.table("contact_outcomes"))
    with state.transaction() as opened:
        new_words = engine.rows(newest_words(_news(engine, opened, "consents", words)))
        new_receipts = engine.rows(
            latest_refusals(_news(engine, opened, "contact_outcomes", receipts))
        )
        opened.many(
            _SQL["adopt_consent"],
            [{**word, "recorded_at": _stamp(word["recorded_at"])} for word in new_words],
        )
        opened.many(
            _SQL["keep_change"],
            [change_row(_word(word), actor=ACTOR, now=turn.now) for word in new_words],
        )
        bars = [_bar(opened, receipt) for receipt in new_receipts]
        suppress_in(opened, bars, actor=ACTOR, now=turn.now)
        lift_answered(opened, actor=ACTOR, now=turn.now)
    return len(new_words) + len(new_receipts)


def _news(engine: Engine, opened: Transaction, name: str, facts: Definition) -> Definition:
    """Keep the facts of days that grew, and remember how far they have grown."""
    mark = f"adopted/{name}"
    [known] = opened.all(_SQL["adopted"], name=mark) or [{"value": "{}"}]
    before = json.loads(known["value"])
    after = {row["day"]: row["rows"] for row in engine.rows(rows_by_day(facts))}
    opened.run(_SQL["set_adopted"], name=mark, value=json.dumps(after))
    return facts.filter(
        facts.day.isin([day for day, rows in after.items() if rows != before.get(day)])
    )


def _word(row: dict[str, Any]) -> Word:
    return Word(
        row["customer_id"],
        row["purpose"],
        row["status"],
        row["recorded_at"],
        channel=row["channel"],
        notice_version=row["notice_version"] or "",
        source=ACTOR,
        evidence=row["evidence"] or "",
    )


def _bar(opened: Transaction, receipt: dict[str, Any]) -> Bar:
    # A complaint closes every channel, and so does a receipt whose contact nobody knows.
    taken = opened.all(_SQL["channel_of"], contact_key=receipt["contact_key"])
    is_whole = receipt["kind"] == SuppressionReason.COMPLAINED or not taken
    channel = "*" if is_whole else taken[0]["channel"] or "*"
    return Bar(receipt["customer_id"], receipt["kind"], receipt["occurred_at"], channel)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
