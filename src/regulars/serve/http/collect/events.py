"""Stored events as the console shows them: the newest, one by one, who they are of covered."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ibis import _
from ibis.expr.types import Table

from regulars.errors import UnknownName
from regulars.govern.masking import mask_id, phone_digits
from regulars.govern.protection.redaction import redacted
from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import is_token
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.serve.http.door.workspaces import Workspace
from regulars.unify.identity.service import explain

MOST_EVENTS = 50
CALLS = ("track", "page", "screen", "identify", "group", "alias")
_DEVICE_KEYS = ("anonymousId", "previousId")
_LISTED = (
    "source", "message_id", "type", "event", "occurred_at", "received_at", "user_id",
    "anonymous_id", "is_late", "is_future", "marks",
)  # fmt: skip


@dataclass(frozen=True)
class Sought:
    """Which events are looked for; what is empty does not matter.

    Attributes:
        event: Part of the name.
        source: The source.
        type: The call.
        identifier: Id, phone number or e-mail address of whoever did it, given whole.
    """

    event: str = ""
    source: str = ""
    type: str = ""
    identifier: str = ""


@dataclass(frozen=True)
class StreamedEvent:
    """One stored event in a list.

    Attributes:
        source: Where it came from.
        message_id: Its id within the source.
        type: The call.
        event: Its name; None where the call has none.
        occurred_at: When it happened, aware UTC.
        received_at: When it was acknowledged, aware UTC.
        who: The login id, or what else tells whose it is, covered; "" for nobody.
        customer_id: Customer its strongest identifier stands for; None for nobody.
        is_late: It happened longer ago than is normal.
        is_future: The client's clock was ahead.
        marks: Reason codes of anomalies seen on arrival.
    """

    source: str
    message_id: str
    type: str
    event: str | None
    occurred_at: datetime
    received_at: datetime
    who: str
    customer_id: str | None
    is_late: bool
    is_future: bool
    marks: tuple[str, ...]


@dataclass(frozen=True)
class WholeEvent:
    """One stored event with what it says.

    Attributes:
        listed: What a list shows of it.
        dialect: Wire format it came in.
        receipt: The request it came in.
        payload: The event as JSON, indented, direct identifiers covered.
    """

    listed: StreamedEvent
    dialect: str
    receipt: str
    payload: str


def newest_events(
    workspace: Workspace, sought: Sought | None = None, *, most: int = MOST_EVENTS
) -> list[StreamedEvent]:
    """Give the newest events.

    Args:
        workspace: Whose events.
        sought: Which of them; all when left out.
        most: At most so many.

    Returns:
        The newest first, by when they were received.
    """
    sought = sought or Sought()
    ids = _ids_of(workspace, sought.identifier.strip())
    with workspace.reading() as engine:
        found = _matching(engine.table("events"), sought, ids)
        order = [_.received_at.desc(), _.log_sequence.desc(), _.source, _.message_id]
        rows = engine.rows(found.order_by(order).limit(most).select(*_LISTED))
    return _listed(rows, workspace.protector)


def read_event(workspace: Workspace, source: str, message_id: str) -> WholeEvent:
    """Give one event with what it says, direct identifiers covered.

    Args:
        workspace: Whose events.
        source: The source.
        message_id: The event's id within it.

    Returns:
        The event.

    Raises:
        UnknownName: There is no such event.
    """
    with workspace.reading() as engine:
        events = engine.table("events")
        one = events.filter(_.source == source, _.message_id == message_id).limit(1)
        rows = engine.rows(one.select(*_LISTED, "dialect", "receipt", "payload"))
    if not rows:
        raise UnknownName("event", message_id, [])
    [row] = rows
    [listed] = _listed(rows, workspace.protector)
    payload = covered_json(row["payload"], workspace.protector)
    return WholeEvent(listed, row["dialect"], row["receipt"], payload)


def covered_json(payload: str, protector: Protector) -> str:
    """Write an event for a page: tokens as their masked form, ids of devices covered.

    Args:
        payload: The event as JSON, direct identifiers as tokens.
        protector: Knows the masked form of tokens.

    Returns:
        JSON, indented; a value that was shredded is all stars.
    """
    event = json.loads(payload)
    masked = protector.masked(one for one in _texts(event) if is_token(one))
    return json.dumps(_covered(event, masked), ensure_ascii=False, indent=2)


def _covered(value: Any, masked: dict[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _covered(part, masked, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_covered(part, masked, key) for part in value]
    if not isinstance(value, str):
        return value
    if is_token(value):
        return masked.get(value, "****")
    return mask_id(value) if key in _DEVICE_KEYS else redacted(value)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _ids_of(workspace: Workspace, text: str) -> list[str]:
    """Every value events may carry for whom somebody looks for."""
    if not text:
        return []
    protector, found = workspace.protector, {text}
    if "@" in text:
        found.add(protector.token("email", text))
    if len(phone_digits(text)) >= 8:
        found.add(protector.token("phone", text))
    known = _identifiers(workspace, text)
    return sorted(found | known)


def _identifiers(workspace: Workspace, customer_id: str) -> set[str]:
    try:
        return {one.value for one in explain(workspace.state, customer_id).identifiers}
    except UnknownName:
        return set()


def _matching(events: Table, sought: Sought, ids: list[str]) -> Table:
    if sought.source:
        events = events.filter(_.source == sought.source)
    if sought.type:
        events = events.filter(_.type == sought.type)
    if sought.event.strip():
        events = events.filter(_.event.lower().contains(sought.event.strip().lower()))
    if ids:
        is_theirs = _.user_id.isin(ids) | _.anonymous_id.isin(ids)
        for token in filter(is_token, ids):
            is_theirs |= _.payload.contains(token)
        events = events.filter(is_theirs)
    return events


def _listed(rows: list[dict[str, Any]], protector: Protector) -> list[StreamedEvent]:
    masked = protector.masked(
        row["user_id"] for row in rows if row["user_id"] and is_token(row["user_id"])
    )
    return [_one(row, masked) for row in rows]


def _one(row: dict[str, Any], masked: dict[str, str]) -> StreamedEvent:
    user_id, device = row.pop("user_id"), row.pop("anonymous_id")
    primary = primary_identifier(user_id, device)
    if user_id:
        who = masked.get(user_id, "****") if is_token(user_id) else user_id
    else:
        who = mask_id(device) if device else ""
    return StreamedEvent(
        who=who,
        customer_id=customer_id_of(*primary) if primary else None,
        **{name: row[name] for name in _LISTED if name in row} | {"marks": _marks(row["marks"])},
    )


def _marks(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())
