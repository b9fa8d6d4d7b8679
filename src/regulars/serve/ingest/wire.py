"""HTTP/1.1 for plain requests with events; whatever is not plain goes to the full parser.

One connection carries one request at a time. The first request that is not plain (chunked,
unusual headers, the console) hands its connection over to uvicorn's parser for good. So this
one may be strict: it reads a small part of the grammar, and refuses nothing by itself.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from regulars.collect.tracking.parsed import Request
from regulars.serve.ingest.answers import Reply, refused, written
from regulars.serve.ingest.reception import (
    HELD_LIMIT,
    Reception,
    Respond,
    target_of,
    too_large,
)

MOST_HEAD_BYTES = 16 * 1024
MOST_REMEMBERED_BYTES = 1024
MOST_DISCARDED_BYTES = 64 << 20
MOST_PIPELINED_BYTES = 64 * 1024
IDLE_SECONDS = 75.0
BODY_SECONDS = 120.0

_HEAD = re.compile(
    r"(GET|POST|OPTIONS) (/[\x21-\x7e]*) HTTP/1\.1\r\n"
    r"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+)"
)
_NOT_PLAIN = ("transfer-encoding", "expect", "upgrade")


class Head(NamedTuple):
    """The head of a plain request.

    Attributes:
        method: "GET", "POST" or "OPTIONS".
        path: Path without the query.
        query: The query as sent.
        headers: Headers by lower-case name.
        length: Bytes of the body.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    length: int


class ShortWay(Protocol):
    """Answers plain requests that are not for events; what it does not take goes the full way."""

    def takes(self, head: Head) -> bool:
        """Say whether a request is to be answered here."""

    def answer(self, request: Request, client: str | None, respond: Respond) -> None:
        """Answer a request, whole; `respond` is told the answer, once, in this loop."""


@lru_cache(maxsize=1024)
def _read_again(data: bytes) -> Head | None:
    """Read a short head; a client sends the same few again and again."""
    return read_head(data)


def read_head(data: bytes) -> Head | None:
    r"""Read the head of a request.

    Args:
        data: It, with the line end after its last line, without the empty line.

    Returns:
        The head; None when it is not plain.

    Source:
        RFC 9112, section 3 to 6; a part of it.

    Example:
        >>> read_head(b"POST /v1/t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n").length
        2
        >>> read_head(b"POST /v1/t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n") is None
        True
    """
    found = _HEAD.fullmatch(data.decode("latin-1"))
    if found is None:
        return None
    headers: dict[str, str] = {}
    lines = found[3].split("\r\n")
    for line in lines[:-1]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
    length = headers.get("content-length", "0")
    is_plain = (
        len(headers) == len(lines) - 1
        and "host" in headers
        and length.isascii()
        and length.isdigit()
        and len(length) < 16
        and not any(name in headers for name in _NOT_PLAIN)
    )
    return Head(found[1], *target_of(found[2]), headers, int(length)) if is_plain else None


class IngestProtocol(H11Protocol):
    """A connection that takes events by the short way; subclasses say where to."""

    reception: Reception
    short_way: ShortWay | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        """Start between two requests."""
        super().__init__(*given, **named)
        self._is_handed_over = self._is_busy = self._is_ending = False
        self._buffer = b""
        self._head: Head | None = None
        self._verdict: Reply | None = None
        self._parts: list[bytes] = []
        self._missing = 0
        self._heard_at = self._begun_at = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take in what the client sent."""
        if self._is_handed_over:
            super().data_received(data)
            return
        self._heard_at = self.loop.time()
        if self._missing:
            self._more(data)
            return
        self._buffer = self._buffer + data if self._buffer else data
        if not self._is_busy:
            self._next()
        elif len(self._buffer) > MOST_PIPELINED_BYTES:
            self.flow.pause_reading()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what is under way to a client that has nothing more to send.

        Returns:
            True when the connection is to stay until then.
        """
        if self._is_handed_over or self._missing or not self._is_busy:
            return False
        self._is_ending = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a request that was not read to its end."""
        super().connection_lost(exc)
        if self._missing:
            self._release()

    def shutdown(self) -> None:
        """End the connection, after the answer that is under way."""
        if self._is_busy and not self._is_handed_over:
            self._is_ending = True
        else:
            super().shutdown()

    def resume_writing(self) -> None:
        """Go on once the client has read its answers."""
        super().resume_writing()
        if not self._is_handed_over and not self._is_busy and self._buffer:
            self._next()

    def sweep(self, now: float) -> None:
        """Close a connection on which nothing was heard for long, or a body comes too slowly."""
        if self._missing:
            is_over = now - self._begun_at > BODY_SECONDS
        else:
            is_over = not self._is_busy and now - self._heard_at > IDLE_SECONDS
        if is_over and not self._is_handed_over:
            self.transport.close()

    def _next(self) -> None:
        """Begin with the next request of the buffer, when its head is whole."""
        if self.flow.write_paused or self.transport.is_closing():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 and len(self._buffer) <= MOST_HEAD_BYTES:
            return
        head = None
        if 0 <= end <= MOST_HEAD_BYTES:
            read = _read_again if end <= MOST_REMEMBERED_BYTES else read_head
            head = read(self._buffer[: end + 2])
        if head is None or not (self.reception.takes(head.path) or self._is_short(head)):
            self._is_handed_over = True
            data, self._buffer = self._buffer, b""
            super().data_received(data)
            return
        self._begin(head, end + 4)

    def _is_short(self, head: Head) -> bool:
        return self.short_way is not None and self.short_way.takes(head)

    def _begin(self, head: Head, start: int) -> None:
        self._is_busy, self._head, self._begun_at = True, head, self._heard_at
        stop = start + head.length
        buffer = self._buffer
        self._is_ending |= head.headers.get("connection", "").lower() == "close"
        self._verdict = self._judge(head)
        if self._verdict is None:
            self.reception.held += head.length
        if len(buffer) >= stop:
            self._buffer = buffer[stop:]
            self._parts.append(buffer[start:stop])
            self._whole()
        elif self._verdict is not None and head.length > MOST_DISCARDED_BYTES:
            self._is_ending = True
            self._respond(self._verdict)
        else:
            self._buffer = b""
            self._missing = head.length
            self._more(buffer[start:])

    def _judge(self, head: Head) -> Reply | None:
        """Refuse by the head alone what need not be read; None to read it."""
        limit = self.reception.body_limit(head.path)
        if head.length > limit:
            return too_large(head.headers, limit)
        if self.reception.held + head.length > HELD_LIMIT:
            message = "too many requests are being read; send it again later"
            return refused(429, "busy", message, head.headers, wait=1)
        return None

    def _more(self, data: bytes) -> None:
        """Take in a further piece of the body."""
        taken = len(data)
        if taken > self._missing:
            data, self._buffer = data[: self._missing], data[self._missing :]
            taken = self._missing
        self._missing -= taken
        if self._verdict is None:
            self._parts.append(data)
        if not self._missing:
            self._whole()

    def _whole(self) -> None:
        """Answer the request, now that it was read to its end."""
        head, verdict = self._head, self._verdict
        assert head is not None
        if verdict is not None:
            self._parts.clear()
            self._respond(verdict)
            return
        body = b"".join(self._parts)
        self._release()
        request = Request(head.method, head.path, head.query, head.headers, body)
        is_event = self.short_way is None or self.reception.takes(head.path)
        desk = self.reception if is_event else self.short_way
        assert desk is not None
        desk.answer(request, self.client[0] if self.client else None, self._respond)

    def _release(self) -> None:
        """Give back the room the body was promised."""
        if self._verdict is None and self._head is not None:
            self.reception.held -= self._head.length
        self._parts = []

    def _respond(self, reply: Reply) -> None:
        self._head = self._verdict = None
        self._is_busy = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        more = _lines(self.server_state.default_headers)
        self.transport.write(written(reply, more, is_last=self._is_ending))
        if self._is_ending:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self._buffer:
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not (self._is_busy or self._is_handed_over):
            self._next()


def protocol_for(reception: Reception, short_way: ShortWay | None = None) -> type[IngestProtocol]:
    """Give the kind of connection that brings events to a reception.

    Args:
        reception: Answers requests with events.
        short_way: Answers other requests that are asked hundreds of times a second.

    Returns:
        The class, for uvicorn's `http`.
    """
    here = {"reception": reception, "short_way": short_way}
    return type("IngestProtocolHere", (IngestProtocol,), here)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)
