"""Which dialect a path speaks, and which dialect gives an event its form."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from typing import Any

from regulars.collect.tracking.dialects import (
    native,
    posthog,
    rudder,
    segment,
    sensors,
    snowplow,
    thinkingdata,
)
from regulars.collect.tracking.form import in_segment_form
from regulars.collect.tracking.parsed import Parsed, Refused, Request

Parser = Callable[[Request], Parsed]
_SINGLE = {
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
}
_SETTINGS = "/v1/projects/{write_key}/settings"


def parse(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Parsed:
    """Read a tracking request of any client.

    Args:
        method: "GET" or "POST".
        path: Path without the query.
        query: The query as sent, without the question mark.
        headers: Headers by lower-case name.
        body: The body as sent, packed or not.

    Returns:
        Its events as lines, with what to answer once they are safe.

    Raises:
        Refused: The path is none of ours, the body is unreadable, or no key came with it.
    """
    plain = path.rstrip("/")
    found = PARSERS.get((method, plain))
    if found is None and _is_settings(plain):
        found = PARSERS.get((method, _SETTINGS))
    if found is None:
        raise Refused(404, "unknown_path", f"{method} {path[:200]} takes no events")
    return found(Request(method, path, query, headers, body))


def _is_settings(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == 5 and parts[1:3] == ["v1", "projects"] and parts[4] == "settings"


def normalise(dialect: str, raw: Any, zone: tzinfo | None = None) -> dict[str, Any]:
    """Give an event of any client in Segment form.

    Args:
        dialect: Wire format the event came in, as `Parsed.dialect` said.
        raw: The event, decoded from its line.
        zone: Zone of moments that name none; UTC when None.

    Returns:
        type, event or name, messageId, userId, anonymousId, previousId, groupId, timestamp,
        originalTimestamp, sentAt (ISO text), properties, traits, context, integrations; what is
        absent or null is left out. `messageId` is what `parse` gave for the line.

    Raises:
        BadEvent: It cannot be stored.

    Example:
        >>> normalise("segment", {"type": "track", "event": "Paid", "messageId": "1", "userId": 7})
        {'type': 'track', 'event': 'Paid', 'messageId': '1', 'userId': '7'}
    """
    if dialect == thinkingdata.DIALECT:
        return thinkingdata.normalise(raw, zone)
    return _NORMALISERS[dialect](raw)


_NORMALISERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    segment.DIALECT: in_segment_form,
    segment.RUDDER: in_segment_form,
    native.DIALECT: in_segment_form,
    sensors.DIALECT: sensors.normalise,
    posthog.DIALECT: posthog.normalise,
    snowplow.DIALECT: snowplow.normalise,
}

DIALECTS = (*_NORMALISERS, thinkingdata.DIALECT)
"""Every wire format there is, by name."""


def _table() -> dict[tuple[str, str], Parser]:
    table: dict[tuple[str, str], Parser] = {}

    def takes(parser: Parser, *paths: str, methods: tuple[str, ...] = ("POST",)) -> None:
        for method in methods:
            table.update(dict.fromkeys([(method, path) for path in paths], parser))

    for kind, short in _SINGLE.items():
        takes(partial(segment.parse, kind=kind), f"/v1/{kind}", f"/v1/{short}")
    takes(partial(segment.parse, kind="merge"), "/v1/merge")
    takes(segment.parse, "/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
    takes(segment.parse_measurements, "/v1/m")
    takes(segment.parse_settings, _SETTINGS, methods=("GET",))
    for kind in ("track", "page"):
        takes(partial(rudder.parse_pixel, kind=kind), f"/pixel/v1/{kind}", methods=("GET",))
    takes(rudder.parse_source_config, "/sourceConfig", methods=("GET",))
    takes(sensors.parse, "/sa", "/sa.gif", "/debug", methods=("GET", "POST"))
    takes(thinkingdata.parse, "/sync_server", "/sync_json", "/sync_js", "/data_debug")
    takes(posthog.parse, "/batch", "/capture", "/e", "/i/v0/e")
    takes(snowplow.parse, "/com.snowplowanalytics.snowplow/tp2")
    takes(snowplow.parse, "/i", methods=("GET",))
    takes(native.parse, "/v1/events")
    return table


PARSERS = _table()
"""Parser by method and path, paths without a slash at their end; one path has a parameter."""
