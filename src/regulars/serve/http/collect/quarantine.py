"""Refused events as the console shows them: why, how many, one of them, and what is done."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from regulars.app import App
from regulars.collect.ingest.drain.partition import LOG_FOLDER
from regulars.collect.ingest.drain.replay.service import (
    OPEN,
    Asking,
    dismiss,
    fix_and_replay,
    list_refused,
    read_refused,
    reopen,
    request_replay,
)
from regulars.collect.ingest.log.recovery import shape_log
from regulars.collect.quality.plan.shapes import masked
from regulars.collect.tracking import BadEvent, Refused, normalise
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor, record
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace

MOST_SHOWN = 50
STATUSES = (OPEN, "requested", "stored", "duplicate", "suppressed", "dismissed")
NOT_READABLE = "not_readable"


@dataclass(frozen=True)
class RefusedGroup:
    """Refused events of one source with one reason.

    Attributes:
        source: The source.
        reason: Reason code of the last try.
        events: How many.
        newest: When the newest was received, aware UTC.
    """

    source: str
    reason: str
    events: int
    newest: datetime


@dataclass(frozen=True)
class RefusedRow:
    """One refused event without what it says.

    Attributes:
        refused_id: Its name.
        source: The source.
        dialect: Wire format it came in.
        received_at: When it was acknowledged, aware UTC.
        reason: Reason code of the last try.
        path: Where in the event the fault lies; "" for the whole event.
        detail: What was found and what is wanted.
        status: open, requested, stored, duplicate, suppressed or dismissed.
    """

    refused_id: str
    source: str
    dialect: str
    received_at: datetime
    reason: str
    path: str
    detail: str
    status: str


@dataclass(frozen=True)
class Quarantine:
    """What is held back.

    Attributes:
        by_status: Events by status.
        groups: Events of the status looked at by reason and source, most frequent first.
        rows: The newest of the group looked at, or of all.
    """

    by_status: Mapping[str, int]
    groups: list[RefusedGroup]
    rows: list[RefusedRow]


def quarantine(
    workspace: Workspace, *, status: str = OPEN, source: str = "", reason: str = ""
) -> Quarantine:
    """Tell what is held back, and why.

    Args:
        workspace: Whose events.
        status: One of `STATUSES`.
        source: Rows of this source alone.
        reason: Rows with this reason alone.

    Returns:
        Counts, groups and rows.
    """
    with workspace.holding() as app:
        everything = list_refused(app.lake, app.state, status=None)
    of_status = [row for row in everything if row["status"] == status]
    rows = [
        row for row in of_status if source in {"", row["source"]} and reason in {"", row["reason"]}
    ]
    return Quarantine(
        Counter(row["status"] for row in everything),
        _groups(of_status),
        [_row(row) for row in rows[:MOST_SHOWN]],
    )


def find_refused(workspace: Workspace, refused_id: str) -> RefusedRow:
    """Give one refused event without what it says.

    Returns:
        The event as of its last try.

    Raises:
        UnknownName: There is no such refused event.
    """
    with workspace.holding() as app:
        return _find(app, refused_id)


def covered_refused(workspace: Workspace, refused_id: str) -> str:
    """Give a refused event with every letter and digit of its values covered.

    Returns:
        JSON, indented, keys as they came; "" for what is no JSON, where nothing can be told
        apart.
    """
    with workspace.holding() as app:
        line = read_refused(app.lake, app.state, app.sealing, refused_id)
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    return json.dumps(_covered(event), ensure_ascii=False, indent=2)


def reveal_refused(caller: Caller, refused_id: str) -> str:
    """Give a refused event as the client sent it, once the look is in the audit log.

    Returns:
        JSON, indented; whatever came where that is no JSON.
    """
    with caller.workspace.holding() as app:
        found = _find(app, refused_id)
        _note(caller, app, "refused_event.reveal", refused_id, {"source": found.source})
        line = read_refused(app.lake, app.state, app.sealing, refused_id)
    try:
        return json.dumps(json.loads(line), ensure_ascii=False, indent=2)
    except ValueError:
        return line


def mend(caller: Caller, refused_id: str, text: str) -> None:
    """Put a mended event in place of a refused one; the drain decides it next.

    Args:
        caller: Who mends it.
        refused_id: The refused event.
        text: The event as it should have come, as JSON.

    Raises:
        BadEvent: It cannot be stored either; reason, path and detail say why.
        InputError: It is not open.
    """
    zone = ZoneInfo(caller.workspace.settings.retailer.zone)
    try:
        line = json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError as error:
        raise BadEvent(NOT_READABLE, "", f"is no JSON: {error}") from error
    with caller.workspace.holding() as app:
        try:
            fix_and_replay(
                app.lake,
                app.state,
                app.sealing,
                refused_id,
                line,
                asking=Asking(caller.actor, caller.now),
                partitions=shape_log(app.folder / LOG_FOLDER, app.settings.ingest.partitions),
                normalise=partial(normalise, zone=zone),
            )
        except Refused as error:
            raise InputError(str(error)) from error
        _note(caller, app, "refused_event.mend", refused_id, {})


def replay(caller: Caller, *, source: str, reason: str) -> int:
    """Ask for all open events of a source and reason to be decided again.

    Returns:
        Events asked for.
    """
    asking = Asking(caller.actor, caller.now)
    with caller.workspace.holding() as app:
        asked = len(request_replay(app.lake, app.state, asking, source=source, reason=reason))
        _note(caller, app, "refused_event.replay", source, {"reason": reason, "events": asked})
    return asked


def put_aside(caller: Caller, refused_id: str, why: str) -> None:
    """Say that a refused event shall stay where it is, and why.

    Raises:
        InputError: No reason was given, or it is not open.
    """
    if not why.strip():
        raise InputError("no reason was given; say in a few words why the event stays out")
    with caller.workspace.holding() as app:
        dismiss(app.lake, app.state, refused_id, asking=Asking(caller.actor, caller.now))
        _note(caller, app, "refused_event.dismiss", refused_id, {"reason": why.strip()[:500]})


def take_back(caller: Caller, refused_id: str) -> None:
    """Take a dismissal back."""
    with caller.workspace.holding() as app:
        reopen(app.state, refused_id, asking=Asking(caller.actor, caller.now))
        _note(caller, app, "refused_event.reopen", refused_id, {})


def _note(caller: Caller, app: App, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    with app.state.transaction() as transaction:
        record(
            transaction,
            actor=caller.actor,
            action=action,
            subject=subject,
            detail=detail,
            at=caller.now,
        )
    anchor(app.state, folder=app.folder, at=caller.now)


def _find(app: App, refused_id: str) -> RefusedRow:
    for row in list_refused(app.lake, app.state, status=None):
        if row["refused_id"] == refused_id:
            return _row(row)
    raise UnknownName("refused event", refused_id, [])


def _groups(rows: list[dict[str, Any]]) -> list[RefusedGroup]:
    counts = Counter((row["source"], row["reason"]) for row in rows)
    newest: dict[tuple[str, str], datetime] = {}
    for row in rows:
        key = row["source"], row["reason"]
        newest[key] = max(newest.get(key, row["received_at"]), row["received_at"])
    found = [RefusedGroup(*key, counts[key], newest[key]) for key in counts]
    return sorted(found, key=lambda one: (-one.events, one.reason, one.source))


def _row(row: Mapping[str, Any]) -> RefusedRow:
    told: dict[str, Any] = {
        name: row[name] if row[name] is not None else "" for name in RefusedRow.__dataclass_fields__
    }
    return RefusedRow(**told)


def _covered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _covered(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_covered(part) for part in value]
    if value is None or isinstance(value, bool):
        return value
    hidden = masked(value)
    # A number stays a number: which type came is often what was wrong.
    return int(hidden) if isinstance(value, int) and hidden.isdecimal() else hidden
