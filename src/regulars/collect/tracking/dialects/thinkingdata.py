"""ThinkingData (数数): packed lists of events, an answer that must say code 0."""

from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

import msgspec

from regulars.collect.tracking import bodies
from regulars.collect.tracking.clocks import moment, written
from regulars.collect.tracking.form import id_at, object_at, operation, segment_form, text_at
from regulars.collect.tracking.ids import content_id, text_id
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Answer, BadEvent, Parsed, Request

DIALECT = "thinkingdata"
_OPERATIONS = {
    "user_set": "profile_set",
    "user_setOnce": "profile_set_once",
    "user_add": "profile_increment",
    "user_append": "profile_append",
    "user_uniq_append": "profile_union",
    "user_unset": "profile_unset",
    "user_del": "profile_delete",
}
_TRACKS = {"track", "track_update", "track_overwrite"}
_PAGES = {"ta_pageview": "page", "ta_page_show": "page", "ta_mp_view": "screen"}
_DEBUG = b'{"code":0,"errorLevel":0,"errorProperties":[],"errorReasons":[],"msg":"success"}'


def parse(request: Request) -> Parsed:
    """Read a request of a ThinkingData client.

    Args:
        request: The request.

    Returns:
        One line per event; none for a dry run.

    Raises:
        Refused: The body is unreadable, or no app id came with it.
    """
    text = bodies.unpack(request.body)
    form = bodies.read_form(text) if text[:1] not in {b"[", b"{"} else {}
    found = bodies.read_body(_plain(form["data"]) if form.get("data") else text)
    told = found if isinstance(found, dict) else {}
    events = told.get("data", found) if "#type" not in told else found
    events = events if isinstance(events, list) else [events]
    first = events[0] if events and isinstance(events[0], dict) else {}
    key = write_key(
        request,
        request.headers.get("appid"),
        form.get("appid"),
        told.get("appid"),
        told.get("#app_id"),
        first.get("#app_id"),
    )
    is_dry = form.get("dryRun", "0") not in {"", "0"}
    lines, ids = _lines([] if is_dry else events)
    answer = Answer("fixed", _DEBUG) if request.path.startswith("/data_debug") else Answer()
    return Parsed(DIALECT, key, lines, ids, moment(told.get("#flush_time")), answer)


def _plain(value: str) -> bytes:
    """Undo what browsers do to a list of events: base64, perhaps of gzip."""
    if value.lstrip()[:1] in {"[", "{"}:
        return value.encode("utf-8", "replace")
    return bodies.unpack(bodies.from_base64(value))


def _lines(events: list[Any]) -> tuple[list[bytes], list[str]]:
    lines: list[bytes] = []
    ids: list[str] = []
    seen: dict[str, int] = {}
    for event in events:
        key = _message_id(event)
        again = seen[key] = seen.get(key, -1) + 1
        # Without an id of its own, what a client says twice within a millisecond happened twice.
        if again and isinstance(event, dict) and not event.get("#uuid"):
            event["_copy"] = again
            key = _message_id(event)
        lines.append(msgspec.json.encode(event))
        ids.append(key)
    return lines, ids


def _message_id(event: Any) -> str:
    own = text_id(event.get("#uuid")) if isinstance(event, dict) else None
    return own or content_id(event)


def normalise(raw: Any, zone: tzinfo | None = None) -> dict[str, Any]:
    """Give an event of a ThinkingData client in Segment form.

    Args:
        raw: The event as sent.
        zone: Zone of moments that name none; UTC when None.

    Returns:
        Tracks keep name and properties, and what they update in `context.protocol`; user calls
        become identify with traits, or with an operation in `context.protocol`.

    Raises:
        BadEvent: It is of no known type, has no readable time, or no name.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not_an_object", "", f"is a {type(raw).__name__}, must be an object")
    kind = text_at(raw, "#type", "unknown_type")
    properties = object_at(raw, "properties")
    happened = written(moment(raw.get("#time"), _zone(properties, zone)))
    if happened is None:
        raise BadEvent("bad_time", "#time", "must be a moment such as 2026-01-02 03:04:05.678")
    context: dict[str, Any] = {"ip": raw.get("#ip")} if raw.get("#ip") else {}
    if "#lib" in properties:
        library = {"name": properties["#lib"], "version": properties.get("#lib_version")}
        context["library"] = library
    parts = {
        "messageId": _message_id(raw),
        "timestamp": happened,
        "userId": id_at(raw, "#account_id"),
        "anonymousId": id_at(raw, "#distinct_id"),
    }
    if parts["userId"] is None and parts["anonymousId"] is None:
        raise BadEvent("no_id", "#account_id", "names nobody, nor does #distinct_id; send one")
    if kind in _OPERATIONS:
        return _traits(_OPERATIONS[kind], properties, context, parts)
    if kind not in _TRACKS:
        raise BadEvent("unknown_type", "#type", "is none of the calls a ThinkingData client makes")
    name = text_at(raw, "#event_name", "missing_name")
    kept = {
        key.removeprefix("#"): raw[key] for key in ("#event_id", "#first_check_id") if key in raw
    }
    if kept or kind != "track":
        context["protocol"] = {"op": kind} | kept
    if name in _PAGES:
        title = properties.get("#title")
        parts["name"] = title if isinstance(title, str) else None
        return segment_form(_PAGES[name], properties=properties, context=context, **parts)
    return segment_form("track", event=name, properties=properties, context=context, **parts)


def _zone(properties: dict[str, Any], zone: tzinfo | None) -> tzinfo | None:
    offset = properties.get("#zone_offset")
    if isinstance(offset, int | float) and not isinstance(offset, bool) and abs(offset) < 24:
        return timezone(timedelta(hours=offset))
    return zone or UTC


def _traits(
    op: str, values: dict[str, Any], context: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    if op == "profile_set":
        context["protocol"] = operation(op)
        return segment_form("identify", traits=values, context=context, **parts)
    context["protocol"] = operation(op, values)
    return segment_form("identify", context=context, **parts)
