"""Import a list of words: every good row is noted, the others are named with their reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.govern.consent.declared import Declared
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word, checked
from regulars.govern.lists import Refused, field, moment, read_rows, sort_rows
from regulars.ports.state import State

SOURCE = "import"


@dataclass(frozen=True)
class WordImport:
    """What an import of words did.

    Attributes:
        file: Name of the list.
        received: Rows of the list.
        noted: Rows added to the ledger; words noted before add none.
        refused: Rows that cannot be used.
    """

    file: str
    received: int
    noted: int
    refused: list[Refused]


@dataclass(frozen=True)
class Reading:
    """How a list is read.

    Attributes:
        file: Its name, part of the evidence of rows that give none.
        zone: IANA zone meant by moments that name none.
        declared: Purposes and topics of the workspace.
    """

    file: str
    zone: str
    declared: Declared


def import_words(
    state: State, data: bytes, *, reading: Reading, actor: str, now: datetime
) -> WordImport:
    """Note every word a list holds, in one transaction.

    Args:
        state: The transactional store.
        data: CSV or JSON with the columns customer_id, status and recorded_at; and, when
            wanted, purpose (marketing), channel (*), topic (*), notice_version, evidence,
            locale, source, guardian.
        reading: How it is read.
        actor: Who does it.
        now: The moment, aware.

    Returns:
        What was done; the same list again adds nothing.

    Raises:
        InputError: The list cannot be read at all.
    """
    rows = read_rows(data)
    numbered = [row | {"": number} for number, row in enumerate(rows, 1)]
    found = sort_rows(numbered, lambda row: _word(row, reading, now))
    noted = set_consent(state, found.made, actor=actor, now=now, declared=reading.declared)
    return WordImport(reading.file, len(rows), noted, found.refused)


def _word(row: dict[str, Any], reading: Reading, now: datetime) -> Word:
    word = Word(
        field(row, "customer_id"),
        field(row, "purpose", "marketing"),
        field(row, "status"),
        moment(field(row, "recorded_at"), zone=reading.zone),
        channel=field(row, "channel", "*"),
        topic=field(row, "topic", "*"),
        notice_version=field(row, "notice_version", ""),
        source=field(row, "source", SOURCE),
        evidence=field(row, "evidence", f"{reading.file}, row {row['']}"),
        locale=field(row, "locale", ""),
        guardian=field(row, "guardian", ""),
    )
    return checked(word, declared=reading.declared, now=now)
