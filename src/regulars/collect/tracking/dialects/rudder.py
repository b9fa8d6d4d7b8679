"""RudderStack where it differs from Segment: beacons, pixels, its browser's settings."""

import secrets
from typing import Any

import msgspec
from msgspec import Raw

from regulars.collect.tracking.dialects.segment import RUDDER, lines_of
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Answer, Parsed, Request


def parse_pixel(request: Request, kind: str) -> Parsed:
    """Read an event that came as the address of an image.

    Args:
        request: The request.
        kind: "track" or "page".

    Returns:
        One event. Without an id of its own it gets a new one: whoever shows the image twice was
        there twice, and no one asks for an image again because the answer was lost.
    """
    asked = request.asked()
    key = write_key(request, asked.get("writeKey"))
    event: dict[str, Any] = {"type": kind, "channel": "web"}
    for name, value in asked.items():
        if name != "writeKey":
            _put(event, name.split("."), value)
    if not event.get("messageId"):
        event["messageId"] = secrets.token_hex(16)
    lines, ids = lines_of([Raw(msgspec.json.encode(event))], {})
    return Parsed(RUDDER, key, lines, ids, answer=Answer("gif"))


def _put(event: dict[str, Any], path: list[str], value: str) -> None:
    inside = event
    for name in path[:-1][:8]:
        step = inside.get(name)
        if not isinstance(step, dict):
            step = inside[name] = {}
        inside = step
    inside[path[-1]] = value


def parse_source_config(request: Request) -> Parsed:
    """Answer the browser client that asks what it may do.

    Args:
        request: The request.

    Returns:
        No events; the settings of a source without destinations of its own.
    """
    key = write_key(request)
    source = {
        "id": key,
        "name": "regulars",
        "writeKey": key,
        "config": {
            "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
        },
        "enabled": True,
        "workspaceId": "regulars",
        "destinations": [],
        "connections": [],
        "dataplanes": {},
    }
    body = msgspec.json.encode({"source": source, "updatedAt": "2026-01-01T00:00:00.000Z"})
    return Parsed(RUDDER, key, answer=Answer("fixed", body))
