"""Requests of Sensors clients: base64 of JSON, packed or not, in a form or an address."""

from base64 import b64encode
from typing import Any

import msgspec

from regulars.collect.tracking import bodies
from regulars.collect.tracking.clocks import moment
from regulars.collect.tracking.ids import content_id
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Answer, Parsed, Refused, Request

DIALECT = "sensors"
UNREADABLE = "$unreadable"
_KEPT_BYTES = 64 * 1024


def parse(request: Request) -> Parsed:
    """Read a request of a Sensors client.

    The client of the Python package stops sending for ever when it hears anything but a success,
    so a body that cannot be read becomes one event that will be quarantined.

    Args:
        request: The request.

    Returns:
        One line per event. The key is the token of the address, else its project, else those
        the first event carries; empty when there is none.

    Raises:
        Refused: The body is too large.
    """
    asked = request.asked()
    events = _events(request, asked)
    if request.headers.get("dry-run", "").lower() == "true":
        events = []
    first = events[0] if events and isinstance(events[0], dict) else {}
    told = (asked.get("token"), asked.get("project"), first.get("token"), first.get("project"))
    lines, ids = _lines(events)
    flushed = moment(first.get("_flush_time"))
    answer = Answer("gif") if request.method == "GET" else Answer()
    return Parsed(DIALECT, _key(request, *told), lines, ids, flushed, answer, is_lenient=True)


def _key(request: Request, *told: Any) -> str:
    try:
        return write_key(request, *told)
    except Refused:
        return ""


def _events(request: Request, asked: dict[str, str]) -> list[Any]:
    body = bodies.unpack(request.body)
    packed = asked if not body.strip() else bodies.read_form(body)
    try:
        if packed.get("data_list"):
            return _listed(_opened(packed["data_list"]))
        if packed.get("data"):
            return _listed(_opened(packed["data"]))
        return _listed(bodies.read_body(body)) if body.strip() else []
    except Refused as error:
        if error.status == 413:
            raise
        sent = request.query.encode("utf-8", "replace") if not request.body else request.body
        return [{UNREADABLE: b64encode(sent[:_KEPT_BYTES]).decode()}]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _opened(value: str) -> Any:
    if value.lstrip()[:1] in {"{", "["}:
        return bodies.read_body(value.encode("utf-8", "replace"))
    return bodies.read_body(bodies.unpack(bodies.from_base64(value)))


def _lines(events: list[Any]) -> tuple[list[bytes], list[str]]:
    lines: list[bytes] = []
    ids: list[str] = []
    seen: dict[str, int] = {}
    for event in events:
        key = content_id(event)
        again = seen[key] = seen.get(key, -1) + 1
        # The client's clock counts milliseconds: what it says twice within one happened twice.
        if again and isinstance(event, dict):
            event["_copy"] = again
            key = content_id(event)
        lines.append(msgspec.json.encode(event))
        ids.append(key)
    return lines, ids
