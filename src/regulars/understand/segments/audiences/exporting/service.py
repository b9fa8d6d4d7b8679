"""Export an audience: who may, what is covered, and the line in the audit log before it leaves."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.access import Role, covers
from regulars.govern.audit.service import record
from regulars.govern.cells import harmless
from regulars.govern.masking import mask_email, mask_id, mask_name, mask_phone
from regulars.govern.protection.service import Looking, Protector
from regulars.govern.protection.tokens import is_token
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.understand.segments.audiences.definition import Audience
from regulars.understand.segments.audiences.judging.service import Place
from regulars.understand.segments.audiences.live.service import members
from regulars.unify.tags.rules import FIELDS

CONTACT = {"name": mask_name, "phone": mask_phone, "email": mask_email, "wechat_id": mask_id}
USUAL = ("name", "phone", "city", "orders", "monetary")
LEAST_ROLE, LEAST_CLEAR = Role.MARKETER, Role.APPROVER


@dataclass(frozen=True)
class Wish:
    """What is to be exported, and for whom.

    Attributes:
        columns: Contact data and fields of profiles, after customer_id.
        is_clear: True to uncover contact data.
        reason: What for; needed to uncover.
        actor: Who asks.
        role: Their role.
    """

    actor: str
    role: Role
    columns: tuple[str, ...] = USUAL
    is_clear: bool = False
    reason: str = ""


def export(
    engine: Reader,
    state: State,
    audience: Audience,
    wish: Wish,
    *,
    place: Place,
    protector: Protector,
) -> str:
    """Export an audience as it is judged now.

    Args:
        engine: Opens the tables.
        state: The transactional store, home of the audit log.
        audience: The audience; one not kept has version 0 in the audit log.
        wish: What is wanted, and for whom.
        place: The moment and the zone.
        protector: Knows the tokens that stand for contact data.

    Returns:
        CSV with a header, one customer a line by customer_id. Cells do nothing when a spreadsheet
        opens them. The line in the audit log is written before the rows are given.

    Raises:
        NotAllowed: The role may not export, or not uncover.
        InputError: Contact data is to be uncovered for no reason given.
        UnknownName: There is no such column.
    """
    _require(wish)
    ids = members(engine, state, audience.rule, place=place)
    rows = _rows(engine, ids, wish.columns)
    shown = (
        _uncovered(rows, state, wish, place, protector, audience.name)
        if wish.is_clear
        else (_covered(rows, protector))
    )
    detail = {
        "version": audience.version,
        "rows": len(shown),
        "columns": list(wish.columns),
        "clear": wish.is_clear,
        "reason": wish.reason,
    }
    with state.transaction() as opened:
        record(
            opened,
            actor=wish.actor,
            action="audience.export",
            subject=audience.name,
            detail=detail,
            at=place.now,
        )
    return _csv(shown, ("customer_id", *wish.columns))


def _require(wish: Wish) -> None:
    known = (*CONTACT, *FIELDS)
    for column in wish.columns:
        if column not in known:
            raise UnknownName("column to export", column, known)
    least = LEAST_CLEAR if wish.is_clear else LEAST_ROLE
    if not covers(wish.role, least):
        what = "with clear contact data" if wish.is_clear else "at all"
        raise NotAllowed(
            "role",
            f"{wish.role.value} {wish.actor} may not export customers {what}; ask somebody who "
            f"is at least {least.value}",
        )
    if wish.is_clear and not wish.reason.strip():
        raise InputError("no reason was given for clear contact data; say what it is for")


def _rows(engine: Reader, ids: Sequence[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Give what is known of customers, one row each."""
    wanted = ibis.memtable(pa.table({"wanted": pa.array(list(ids), pa.string())}))

    def mine(table: Table, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = table.semi_join(wanted, table.customer_id == wanted.wanted)
        rows = engine.rows(found.select("customer_id", *names))
        return {row["customer_id"]: row for row in rows}

    profiles, facts = engine.table("profiles"), engine.table("customers")
    newest = profiles.filter(profiles.turn == profiles.turn.max())
    told = mine(newest, [name for name in columns if name in FIELDS])
    contact = [name for name in columns if name in CONTACT]
    held = mine(facts, contact) if contact else {}
    return [
        {"customer_id": one, **dict.fromkeys(columns), **told.get(one, {}), **held.get(one, {})}
        for one in ids
    ]


def _covered(rows: Sequence[dict[str, Any]], protector: Protector) -> list[dict[str, Any]]:
    tokens = _tokens(rows)
    masked = protector.masked(tokens) if tokens else {}
    return [
        {
            name: value
            if name not in CONTACT or not value
            else masked.get(value, "****")
            if is_token(value)
            else CONTACT[name](value)
            for name, value in row.items()
        }
        for row in rows
    ]


def _uncovered(
    rows: Sequence[dict[str, Any]],
    state: State,
    wish: Wish,
    place: Place,
    protector: Protector,
    name: str,
) -> list[dict[str, Any]]:
    tokens = _tokens(rows)
    looking = Looking(wish.actor, wish.role, f"audience {name}", place.now, wish.reason)
    clear = protector.reveal(state, tokens, looking) if tokens else {}
    return [
        {n: clear.get(v, "") if isinstance(v, str) and is_token(v) else v for n, v in row.items()}
        for row in rows
    ]


def _tokens(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({
        row[name] for row in rows for name in CONTACT if row.get(name) and is_token(row[name])
    })


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    text = StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(columns)
    for row in rows:
        lines.writerow(["" if row[c] is None else harmless(str(row[c])) for c in columns])
    return text.getvalue()


def exported_at(moment: datetime, name: str) -> str:
    """Name the file of an export.

    Returns:
        Name and moment, in letters every system takes.

    Example:
        >>> exported_at(datetime(2026, 3, 1, 9, 5), "回头客 / a")
        'audience-a-20260301-0905.csv'
    """
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_"))[:40]
    return f"audience-{plain or 'customers'}-{moment:%Y%m%d-%H%M}.csv"
