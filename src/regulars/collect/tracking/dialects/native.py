"""The bulk wire: events in Segment form as lines of JSON or as an Arrow stream."""

from typing import Any

import msgspec
from msgspec import Raw

from regulars.collect.tracking import bodies
from regulars.collect.tracking.dialects.segment import lines_of
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Parsed, Refused, Request

DIALECT = "native"
BULK_LIMIT = 32 * 1024 * 1024
_ARROW_STREAM = b"\xff\xff\xff\xff"
_ARROW_FILE = b"ARROW1"
_OBJECTS = ("properties", "traits", "context", "integrations")


def parse(request: Request) -> Parsed:
    """Read a bulk request.

    Args:
        request: The request: lines of JSON, a JSON list, or Arrow as stream or file, packed or
            not. A row of Arrow has the members of an event as columns; properties, traits and
            context are structs, maps or text of JSON.

    Returns:
        One line per event.

    Raises:
        Refused: The body is unreadable, or no key came with it.
    """
    key = write_key(request)
    body = bodies.inflate(request.body, BULK_LIMIT)
    if body.startswith((_ARROW_STREAM, _ARROW_FILE)):
        items = [Raw(line) for line in _rows(body)]
    else:
        items = _items(bodies.unpack(body, BULK_LIMIT))
    lines, ids = lines_of(items, {})
    return Parsed(DIALECT, key, lines, ids)


def _items(text: bytes) -> list[Raw]:
    if text.lstrip()[:1] == b"[":
        try:
            return msgspec.json.decode(text, type=list[Raw])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return [Raw(msgspec.json.encode(one)) for one in bodies.read_body(text)]
    return [Raw(line) for line in text.splitlines() if line.strip()]


def _rows(body: bytes) -> list[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - slow to load, and few requests need it

    try:
        reader = pa.ipc.open_stream(body) if body[:4] == _ARROW_STREAM else pa.ipc.open_file(body)
        rows = reader.read_all().to_pylist(maps_as_pydicts="last")
    except (pa.ArrowException, ValueError, TypeError, OSError) as error:
        said = f"the Arrow body is broken: {str(error)[:200]}"
        raise Refused(400, "unreadable_body", said) from error
    try:
        return [msgspec.json.encode(_event(row)) for row in rows]
    except TypeError as error:
        said = "a column of the Arrow body has a type that JSON cannot say; use text or numbers"
        raise Refused(400, "unreadable_body", said) from error


def _event(row: dict[str, Any]) -> dict[str, Any]:
    event = {name: value for name, value in row.items() if value is not None}
    for name in _OBJECTS:
        part = event.get(name)
        if isinstance(part, str):
            try:
                event[name] = bodies.read_json(part.encode("utf-8", "replace"))
            except Refused:
                continue
    return event
