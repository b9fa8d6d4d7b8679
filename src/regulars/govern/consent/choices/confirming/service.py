"""Double opt-in: a grant waits until whoever has the address says yes; asking allows nothing."""

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.govern.consent.declared import Declared, read_declared
from regulars.govern.consent.rule import Status
from regulars.govern.consent.service import record_words
from regulars.govern.consent.word import Word, checked
from regulars.govern.suppression.reasons import stamp
from regulars.ports.state import Queries, State

WAITS = timedelta(days=7)
_SQL = Queries(__package__)


class Confirmation(StrEnum):
    """What came of an answer to a question."""

    DONE = "done"
    BEFORE = "before"
    TOO_LATE = "too_late"
    UNKNOWN = "unknown"


def ask(
    state: State,
    word: Word,
    *,
    now: datetime,
    declared: Declared | None = None,
    waits: timedelta = WAITS,
) -> str:
    """Keep a grant until it is confirmed; nothing may be sent on it.

    Args:
        state: The transactional store.
        word: The grant, as it was said on the form.
        now: The moment, aware.
        declared: Purposes and topics of the workspace; None for those of the package.
        waits: How long the answer may take.

    Returns:
        Its word id, which the link in the question is signed over.

    Raises:
        InputError: It is no grant, or cannot be used.
    """
    said = checked(word, declared=declared or read_declared(), now=now)
    if said.status != Status.GRANTED:
        raise InputError(f"status is {said.status}, only a grant waits; note a refusal at once")
    row = {
        "word_id": said.word_id,
        "word": json.dumps(asdict(said), ensure_ascii=False, default=str),
        "asked_at": stamp(now),
        "expires_at": stamp(now + waits),
    }
    with state.transaction() as opened:
        opened.run(_SQL["forget"], now=stamp(now))
        opened.run(_SQL["ask"], **row)
    return said.word_id


def confirm(state: State, word_id: str, *, evidence: str, now: datetime) -> Confirmation:
    """Note the grant as confirmed; confirming again changes nothing.

    Args:
        state: The transactional store.
        word_id: What `ask` gave.
        evidence: What proves the answer, such as the name of the link.
        now: The moment, aware.

    Returns:
        Whether the grant holds now.
    """
    with state.transaction() as opened:
        rows = opened.all(_SQL["pending"], word_id=word_id)
        if not rows:
            return Confirmation.UNKNOWN
        if rows[0]["confirmed_at"]:
            return Confirmation.BEFORE
        if rows[0]["expires_at"] <= stamp(now):
            return Confirmation.TOO_LATE
        asked = json.loads(rows[0]["word"])
        word = Word(**asked | {"recorded_at": datetime.fromisoformat(asked["recorded_at"])})
        proof = f"{word.evidence}; confirmed by {evidence}" if word.evidence else evidence
        record_words(
            opened, [replace(word, recorded_at=now, evidence=proof)], actor="customer", now=now
        )
        opened.run(_SQL["confirm"], word_id=word_id, at=stamp(now))
        record(
            opened,
            actor="customer",
            action="consent.confirm",
            subject=word.customer_id,
            detail={"purpose": word.purpose, "channel": word.channel, "asked_at": word.stamp},
            at=now,
        )
    return Confirmation.DONE
