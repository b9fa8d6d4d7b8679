"""Answers to clients that send events: one form of refusal, and what browsers need to hear."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import msgspec

# What published clients send beyond what browsers always allow.
ALLOWED_HEADERS = (
    "Authorization, Content-Type, Content-Encoding, X-Retry-Count, AnonymousId, Dry-Run, "
    "appid, compress, SP-Anonymous"
)
PREFLIGHT_SECONDS = 900

_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(\s*,\s*[A-Za-z0-9-]{1,64}){0,63}")
_ORIGIN = re.compile(r"[\x21-\x7e]{1,256}")


class Reply(NamedTuple):
    """An answer, before it is written to the wire.

    Attributes:
        status: HTTP status.
        headers: Headers by name, without the length of the body.
        body: The body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def said(
    status: int, kind: str, body: bytes, asked: Mapping[str, str], *, wait: int | None = None
) -> Reply:
    """Put an answer together.

    Args:
        status: HTTP status.
        kind: Content type.
        body: The body.
        asked: Headers of the request, by lower-case name.
        wait: Seconds after which to try again; None when that would not help.

    Returns:
        The answer; a page of any origin may read it, since it tells only what the page sent.
    """
    headers = {"content-type": kind, "cache-control": "no-store"}
    if wait is not None:
        headers["retry-after"] = str(wait)
    origin = asked.get("origin")
    if origin is not None and _ORIGIN.fullmatch(origin):
        headers["access-control-allow-origin"] = origin
        headers["access-control-allow-credentials"] = "true"
        headers["vary"] = "Origin"
    return Reply(status, headers, body)


def refused(
    status: int, code: str, message: str, asked: Mapping[str, str], *, wait: int | None = None
) -> Reply:
    """Say no, in the one form every client understands.

    Args:
        status: HTTP status.
        code: Slug a program may act on.
        message: What was wrong, and what is wanted.
        asked: Headers of the request.
        wait: Seconds after which to try again; None when that would not help.

    Returns:
        JSON with `code` and `message`: RudderStack's client tries for ever without them.
    """
    body = msgspec.json.encode({"code": code, "message": message, "success": False})
    return said(status, "application/json", body, asked, wait=wait)


def preflight(asked: Mapping[str, str]) -> Reply:
    """Tell a browser that its page may send events.

    Returns:
        The answer to its question; no body.
    """
    reply = said(204, "text/plain", b"", asked)
    wanted = asked.get("access-control-request-headers", "")
    more = f", {wanted}" if _NAMES.fullmatch(wanted) else ""
    reply.headers.update({
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": ALLOWED_HEADERS + more,
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    })
    return reply


def written(reply: Reply, more: bytes, *, is_last: bool) -> bytes:
    """Write an answer as HTTP/1.1.

    Args:
        reply: The answer.
        more: Header lines every answer has, each ended.
        is_last: The connection is closed after it.

    Returns:
        The bytes to send.
    """
    lines = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    end = "connection: close\r\n\r\n" if is_last else "\r\n"
    size = "" if reply.status == 204 else f"content-length: {len(reply.body)}\r\n"
    return (
        (_STATUS_LINES[reply.status] + lines + size).encode("latin-1")
        + more
        + (end.encode() + reply.body)
    )


_STATUS_LINES = {
    one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n" for one in HTTPStatus if one >= 200
}
