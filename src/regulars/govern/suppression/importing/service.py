"""Import a suppression list: every good row is a bar, the others are named with their reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.errors import InputError
from regulars.govern.lists import Refused, field, moment, read_rows, sort_rows
from regulars.govern.protection.tokens import UNREADABLE, kind_of_token
from regulars.govern.suppression.reasons import Bar, SuppressionReason, checked_bar
from regulars.govern.suppression.service import suppress
from regulars.ports.state import State

Token = Callable[[str, str], str]
KINDS = ("phone", "email")


@dataclass(frozen=True)
class BarImport:
    """What an import of bars did.

    Attributes:
        received: Rows of the list.
        changed: Bars that were new, or newer than what was known.
        refused: Rows that cannot be used.
    """

    received: int
    changed: int
    refused: list[Refused]


def import_bars(
    state: State, data: bytes, *, token: Token, zone: str, actor: str, now: datetime
) -> BarImport:
    """Bar everybody a list names, in one transaction.

    Args:
        state: The transactional store.
        data: CSV or JSON with the columns customer_id, or phone, or email, or token; and, when
            wanted, channel, reason, since, until, note.
        token: Turns a kind and a clear value into its token; the clear value is not kept.
        zone: IANA zone meant by moments that name none.
        actor: Who does it.
        now: The moment, aware.

    Returns:
        What was done; the same list again changes nothing.

    Raises:
        InputError: The list cannot be read at all.
    """
    rows = read_rows(data)
    found = sort_rows(rows, lambda row: _bar(row, token=token, zone=zone, now=now))
    changed = suppress(state, found.made, actor=actor, now=now) if found.made else 0
    return BarImport(len(rows), changed, found.refused)


def subject_of(token: Token, kind: str, clear: str) -> str:
    """Turn an address into the token it is known by.

    Args:
        token: Turns a kind and a clear value into its token.
        kind: "phone" or "email".
        clear: The address.

    Returns:
        The token.

    Raises:
        InputError: The address cannot be read as its kind.
    """
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}, must be phone or email")
    found = token(kind, clear)
    if kind_of_token(found) in {"", UNREADABLE}:
        raise InputError(
            f"the {kind} cannot be read; give the number with its country code, or the whole "
            "address"
        )
    return found


def _bar(row: dict[str, Any], *, token: Token, zone: str, now: datetime) -> Bar:
    named = [name for name in ("customer_id", "phone", "email", "token") if row.get(name)]
    if len(named) != 1:
        raise InputError("a row must name one of customer_id, phone, email and token")
    subject = field(row, named[0])
    if named[0] in KINDS:
        subject = subject_of(token, named[0], subject)
    until = field(row, "until", "")
    return checked_bar(
        Bar(
            subject,
            field(row, "reason", SuppressionReason.MANUAL.value),
            min(now, moment(field(row, "since", now.isoformat()), zone=zone, name="since")),
            field(row, "channel", "*"),
            moment(until, zone=zone, name="until") if until else None,
            field(row, "note", ""),
        )
    )
