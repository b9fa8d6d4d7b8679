"""Segment's wire, which RudderStack shares: batches, single calls, long and short paths."""

from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from regulars.collect.tracking import bodies
from regulars.collect.tracking.clocks import moment
from regulars.collect.tracking.depth import MOST_DEPTH, depth_of, without_deep
from regulars.collect.tracking.ids import content_id, own_id, text_id
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Answer, Parsed, Refused, Request

DIALECT = "segment"
RUDDER = "rudder"
MOST_EVENTS = 2500


class _Envelope(Struct):
    """A body: a batch, or one event."""

    batch: list[Raw] | UnsetType = UNSET
    writeKey: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    context: Raw = Raw(b"")
    integrations: Raw = Raw(b"")


class _Head(Struct, gc=False):
    """What must be known of an event before it is stored."""

    messageId: str | UnsetType = UNSET  # noqa: N815
    type: str | UnsetType = UNSET
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    context: Raw = Raw(b"")
    integrations: Raw = Raw(b"")
    traits: Raw = Raw(b"")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_HEAD = msgspec.json.Decoder(_Head)


def parse(request: Request, kind: str = "") -> Parsed:
    """Read a request of a Segment or RudderStack client.

    Args:
        request: The request.
        kind: Type of event the path stands for; empty for a batch.

    Returns:
        One line per item of the batch, whatever it holds: a broken item spoils no other.

    Raises:
        Refused: The body is no JSON object, holds too many events, or no key came with it.
    """
    text = bodies.unpack(request.body)
    envelope = _opened(text)
    key = write_key(request, envelope.writeKey)
    shared: dict[str, Raw] = {}
    if envelope.batch is UNSET:
        items = [Raw(_without_key(text, kind))]
    else:
        items = envelope.batch
        shared = {
            name: part
            for name, part in (
                ("context", envelope.context),
                ("integrations", envelope.integrations),
            )
            if bytes(part)[:1] == b"{"
        }
    if len(items) > MOST_EVENTS:
        said = f"{len(items)} events in one request, {MOST_EVENTS} at most; send smaller batches"
        raise Refused(413, "too_many_events", said)
    has_breaks = b"\n" in text or b"\r" in text
    lines, ids = lines_of(items, shared, has_breaks=has_breaks)
    return Parsed(_dialect(request), key, lines, ids, moment(envelope.sentAt))


def parse_settings(request: Request) -> Parsed:
    """Answer the browser client that asks where to send.

    Args:
        request: The request; its header `x-forwarded-proto` says the scheme, else it is http.

    Returns:
        No events; settings that lead the client back here.
    """
    key = unquote(request.path.rstrip("/").split("/")[-2])
    host = request.headers.get("host", "")
    scheme = request.headers.get("x-forwarded-proto", "http")
    said = {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host}/v1",
                "protocol": "https" if scheme == "https" else "http",
                "unbundledIntegrations": [],
                "addBundledMetadata": False,
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "middlewareSettings": {"routingRules": []},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return Parsed(DIALECT, key, answer=Answer("fixed", msgspec.json.encode(said)))


def parse_measurements(request: Request) -> Parsed:
    """Swallow what the browser client tells about itself.

    Args:
        request: The request.

    Returns:
        No events.
    """
    try:
        key = write_key(request)
    except Refused:
        key = ""
    return Parsed(DIALECT, key, is_lenient=True)


def _dialect(request: Request) -> str:
    # Servers' clients of both name themselves alike; RudderStack's browser client adds this header.
    is_rudder = "anonymousid" in request.headers or request.path.startswith("/beacon/")
    return RUDDER if is_rudder else DIALECT


def _opened(text: bytes) -> _Envelope:
    try:
        return _ENVELOPE.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        found = bodies.read_body(without_deep(text, members=True))
    if not isinstance(found, dict):
        said = f"the body is a JSON {type(found).__name__}; send an object"
        raise Refused(400, "unreadable_body", said)
    if "batch" in found and not isinstance(found["batch"], list):
        raise Refused(400, "unreadable_body", "`batch` is not a list; send a list of events")
    return _ENVELOPE.decode(msgspec.json.encode(found))


def _without_key(text: bytes, kind: str) -> bytes:
    try:
        event = bodies.read_json(text)
    except Refused:
        if depth_of(text) <= MOST_DEPTH:
            raise
        # It is kept whole, as text, and held back.
        return msgspec.json.encode(text.decode())
    event.pop("writeKey", None)
    if kind and not event.get("type"):
        event["type"] = kind
    return msgspec.json.encode(event)


def lines_of(
    items: list[Raw], shared: dict[str, Raw], *, has_breaks: bool = True
) -> tuple[list[bytes], list[str]]:
    """Make one line per event, each with an id of its own.

    Args:
        items: Events as they stand in the body.
        shared: What the batch says for all its events: context, integrations.
        has_breaks: False when the body is known to hold no line break.

    Returns:
        Lines and their ids.
    """
    lines, ids = [], []
    for item in items:
        line = bytes(item)
        try:
            head = _HEAD.decode(line)
            key = head.messageId or ""
            is_whole = key != "" and key.strip() == key
            if is_whole and (shared or head.type == "identify"):
                is_whole = not _lacks(head, shared)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            is_whole = False
        if not is_whole:
            line, key = _mended(line, shared)
        if has_breaks and (b"\n" in line or b"\r" in line):
            line = msgspec.json.format(line, indent=-1)
        lines.append(line)
        ids.append(key)
    return lines, ids


def _lacks(head: _Head, shared: dict[str, Raw]) -> bool:
    if head.type == "identify" and len(bytes(head.traits)) <= len("null"):
        return True
    return any(len(bytes(getattr(head, name))) <= len("null") for name in shared)


def _mended(line: bytes, shared: dict[str, Raw]) -> tuple[bytes, str]:
    """Put an event into order: ids as text, an id of its own, shared parts, traits in place."""
    try:
        event = bodies.read_json(line)
    except Refused:
        return line, content_id(line.decode("utf-8", "replace"))
    if not isinstance(event, dict):
        return line, content_id(event)
    same = dict(event)
    _put_in_order(event)
    for name, part in shared.items():
        if event.get(name) is None:
            event[name] = bodies.read_json(bytes(part))
    event["messageId"] = text_id(event.get("messageId")) or own_id(event)
    if event == same:
        return line, event["messageId"]
    return msgspec.json.encode(event), event["messageId"]


def _put_in_order(event: dict[str, Any]) -> None:
    for name in ("messageId", "userId", "anonymousId", "previousId", "groupId"):
        if name in event and (found := text_id(event[name])) is not None:
            event[name] = found
    # RudderStack servers' clients put the traits of identify into the context.
    if event.get("type") == "identify" and not event.get("traits"):
        context = event.get("context")
        if isinstance(context, dict) and isinstance(context.get("traits"), dict):
            event["traits"] = context["traits"]
            event["context"] = {key: part for key, part in context.items() if key != "traits"}
