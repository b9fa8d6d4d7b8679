"""Calls to a provider over HTTP: one deadline for the whole of a call, and what an ending means.

A call that never left may be made again. One that left and got no answer may have been taken:
that is UNKNOWN, except where the provider delivers a key once. Neither addresses of requests
(they carry tokens) nor bodies reach a log.
"""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from regulars.adapters.channels.plumbing.answers import (
    MEND_SECONDS,
    WAIT_SECONDS,
    refused,
    throttled,
    unknown,
)
from regulars.ports.channels import Answer

_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes:
        path: Path below the address of the provider, or a whole address.
        query: What follows the question mark.
        headers: Its headers.
        body: Its body; None for a GET.
        method: Its method; "" for POST with a body and GET without.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    method: str = ""


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: Its headers, names in lower case.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Caller:
    """Connections to one provider, kept open between calls.

    Args:
        base: Address of the provider.
        seconds: Most seconds a call takes, from its first byte to the last of its answer.
        connections: Most connections at once.
    """

    def __init__(self, base: str, *, seconds: float, connections: int) -> None:
        """Open nothing yet."""
        _keep_addresses_out_of_logs()
        self._base, self._seconds, self._connections = base, seconds, connections
        self._clients: dict[int, httpx.AsyncClient] = {}

    async def call(self, request: Request) -> Reply | Answer:
        """Make one call.

        Returns:
            What came back; or the answer a call without one amounts to.
        """
        whole = "://" in request.path
        method = request.method or ("GET" if request.body is None else "POST")
        try:
            async with asyncio.timeout(self._seconds):
                async with self._client().stream(
                    method,
                    request.path if whole else self._base + request.path,
                    params=dict(request.query) or None,
                    headers=dict(request.headers),
                    content=request.body,
                ) as got:
                    body = await _read(got)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return throttled("unreachable")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            return refused("bad_address")
        except TimeoutError:
            return unknown("no_answer")
        except httpx.TransportError:
            return unknown("connection_lost")
        return Reply(got.status_code, {k.lower(): v for k, v in got.headers.items()}, body)

    async def close(self) -> None:
        """Close the connections of this process."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        """Give the connections of this process: a forked one must not talk on its parent's."""
        client = self._clients.get(os.getpid())
        if client is None:
            client = self._clients[os.getpid()] = httpx.AsyncClient(
                timeout=self._seconds,
                limits=httpx.Limits(max_connections=self._connections),
                follow_redirects=False,
            )
        return client


async def _read(got: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in got.aiter_bytes():
        size += len(part)
        if size > _MOST_BYTES:
            raise httpx.ReadError("the answer is longer than any answer is")
        parts.append(part)
    return b"".join(parts)


def ending(reply: Reply, *, is_keyed: bool, now: datetime) -> Answer | None:
    """Say what an HTTP status means, where it means the same with every provider.

    Args:
        reply: What came back.
        is_keyed: True when the provider delivers a key once, so that a doubt may be resent.
        now: The moment, against which a date in Retry-After is held.

    Returns:
        The answer; None for 2xx, and for 4xx that say something of the contact.

    Example:
        >>> from datetime import UTC
        >>> moment = datetime(2026, 3, 2, tzinfo=UTC)
        >>> ending(Reply(429, {"retry-after": "7"}, b""), is_keyed=False, now=moment).retry_seconds
        7.0
        >>> ending(Reply(502, {}, b""), is_keyed=False, now=moment).outcome.value
        'unknown'
    """
    wait = retry_after(reply.headers, now=now)
    if reply.status == 429:
        return throttled("rate_limited", wait)
    if reply.status == 503 or (reply.status >= 500 and is_keyed):
        return throttled("provider_down", wait)
    if reply.status >= 500:
        return unknown("provider_error")
    if reply.status in {401, 407}:
        return throttled("bad_credentials", MEND_SECONDS)
    if 300 <= reply.status < 400:
        return throttled("redirected", MEND_SECONDS)
    return None


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float:
    """Read how long a provider asks to wait (RFC 9110, 10.2.3: seconds or a date).

    Returns:
        Seconds; 30 when it does not say, a day at most.
    """
    said = headers.get("retry-after", "").strip()
    if not said:
        return WAIT_SECONDS
    if said.replace(".", "", 1).isdigit():
        return min(float(said), 86_400.0)
    try:
        return min(max(0.0, (parsedate_to_datetime(said) - now).total_seconds()), 86_400.0)
    except (ValueError, TypeError):
        return WAIT_SECONDS


def _is_no_address(record: logging.LogRecord) -> bool:
    """Let no line of httpx through: each holds the whole address, tokens included."""
    return record.name != "httpx"


def _keep_addresses_out_of_logs() -> None:
    log = logging.getLogger("httpx")
    if _is_no_address not in log.filters:
        log.addFilter(_is_no_address)
