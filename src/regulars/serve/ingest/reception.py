"""From a request to its answer: read, found out whose it is, taken in, answered once on disk."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars.collect import tracking
from regulars.collect.ingest.keys.service import UNKNOWN_SOURCE, WriteKey
from regulars.collect.ingest.service import Ack, Busy, Sender
from regulars.collect.tracking import Answer, Parsed, Refused
from regulars.collect.tracking.dialects.native import BULK_LIMIT
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Request
from regulars.collect.tracking.routes import PARSERS
from regulars.serve.ingest.answers import Reply, preflight, refused, said
from regulars.serve.ingest.desks import UNKNOWN_KEY, Desk, Desks

BODY_LIMIT = 4 << 20
# Clients of PostHog send batches of up to 5 MiB.
POSTHOG_BODY_LIMIT = 6 << 20
HELD_LIMIT = 128 << 20
# Events without a known key are kept, but nobody may fill the disk with them.
UNKNOWN_BYTES_PER_MINUTE = 8 << 20
KEYS_EVERY_SECONDS = 0.25
LOOK_SECONDS = 1.0
LOCAL = frozenset({"127.0.0.1", "::1"})

_LOG = logging.getLogger("regulars.serve")
_PREFIXES = ("/v1/", "/beacon/v1/", "/pixel/v1/", "/com.snowplowanalytics.snowplow/")
_RECEIPTS = "/v1/receipts/"
_LIMITS = {
    "/v1/events": BULK_LIMIT,
    **dict.fromkeys(("/batch", "/capture", "/track", "/e", "/i/v0/e"), POSTHOG_BODY_LIMIT),
}
_NAMES = frozenset(path for _, path in PARSERS)

Respond = Callable[[Reply], None]


class Reception:
    """Answers every ingestion route of every workspace served. Lives in one event loop.

    Args:
        desks: The workspaces.
    """

    def __init__(self, desks: Desks) -> None:
        """Start with no request under way."""
        self.desks = desks
        self.held = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys_read_at = float("-inf")
        self._unknown_left = UNKNOWN_BYTES_PER_MINUTE
        self._looks = 0

    @staticmethod
    def takes(path: str) -> bool:
        """Say whether a path is for events."""
        return path.startswith(_PREFIXES) or path.rstrip("/") in _NAMES

    @staticmethod
    def body_limit(path: str) -> int:
        """Give the most bytes a body may have, packed or not."""
        return _LIMITS.get(path.rstrip("/"), BODY_LIMIT)

    async def keep_up(self) -> None:
        """See to keys, backlog and allowances once a second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._looks += 1
            if self._looks % 60 == 0:
                self._unknown_left = UNKNOWN_BYTES_PER_MINUTE
            for desk in self.desks.all:
                desk.intake.refresh()
            await self._read_keys()

    def answer(self, request: Request, client: str | None, respond: Respond) -> None:
        """Answer a request, at once or when its events are on disk.

        Args:
            request: The request, whole.
            client: Network address it came from.
            respond: Told the answer, once.
        """
        try:
            self._answer(request, client, respond)
        except Refused as error:
            respond(_refusal(request, error))
        except Busy as error:
            respond(_busy(request, error))
        except Exception as error:
            _LOG.exception("a request for events failed")
            message = f"something of ours failed ({type(error).__name__}); send it again later"
            respond(refused(500, "internal", message, request.headers, wait=5))

    def _answer(self, request: Request, client: str | None, respond: Respond) -> None:
        if request.method == "OPTIONS":
            respond(preflight(request.headers))
            return
        if request.path.startswith(_RECEIPTS):
            self._start(self._tell_fates(request, respond))
            return
        parsed = tracking.parse(
            "GET" if request.method == "HEAD" else request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
        )
        found = self.desks.find(parsed.write_key)
        if found is None and parsed.write_key:
            self._start(self._answer_later(request, client, parsed, respond))
        else:
            self._take(request, client, parsed, found, respond)

    async def _answer_later(
        self, request: Request, client: str | None, parsed: Parsed, respond: Respond
    ) -> None:
        """Look once more for a key not known yet: it may have been given out just now."""
        await self._read_keys()
        try:
            self._take(request, client, parsed, self.desks.find(parsed.write_key), respond)
        except Refused as error:
            respond(_refusal(request, error))
        except Busy as error:
            respond(_busy(request, error))

    def _take(
        self,
        request: Request,
        client: str | None,
        parsed: Parsed,
        found: tuple[Desk, WriteKey] | None,
        respond: Respond,
    ) -> None:
        if found is None:
            if not parsed.is_lenient:
                raise Refused(
                    401,
                    "unknown_write_key",
                    "this write key is not known here or was revoked; "
                    "give one out with: regulars collect key NAME",
                )
            found = self.desks.all[0], UNKNOWN_KEY
        desk, key = found
        _check_scopes(request, parsed, key)
        if key.source == UNKNOWN_SOURCE and not self._may_keep(parsed):
            respond(_accepted(request, parsed.answer, Ack("", 0)))
            return

        def done(outcome: Ack | Busy) -> None:
            if isinstance(outcome, Busy):
                respond(_busy(request, outcome))
            else:
                respond(_accepted(request, parsed.answer, outcome))

        agent = request.headers.get("user-agent", "")[:512]
        sender = Sender(key.source, agent, _address(request, client))
        desk.intake.take(parsed, sender, done)

    def _may_keep(self, parsed: Parsed) -> bool:
        size = sum(map(len, parsed.lines))
        if size > self._unknown_left:
            return False
        self._unknown_left -= size
        return True

    async def _tell_fates(self, request: Request, respond: Respond) -> None:
        try:
            respond(await self._fates(request))
        except Refused as error:
            respond(_refusal(request, error))

    async def _fates(self, request: Request) -> Reply:
        found = self.desks.find(write_key(request))
        if found is None:
            await self._read_keys()
            found = self.desks.find(write_key(request))
        if found is None or "receipts" not in found[1].scopes:
            raise Refused(401, "unknown_write_key", "this write key may not ask for receipts")
        desk, key = found
        receipt = request.path.removeprefix(_RECEIPTS).rstrip("/")
        counts = await asyncio.to_thread(desk.fates_of, receipt, key.source)
        told: dict[str, Any] = {"receipt": receipt, "status": "pending"}
        if counts is not None:
            told |= {"status": "decided", **counts}
        return said(200, "application/json", msgspec.json.encode(told), request.headers)

    async def _read_keys(self) -> None:
        """Read the keys again, however many ask, at most every quarter of a second."""
        loop = asyncio.get_running_loop()
        wait = self._keys_read_at + KEYS_EVERY_SECONDS - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        if loop.time() >= self._keys_read_at + KEYS_EVERY_SECONDS:
            self._keys_read_at = loop.time()
            await asyncio.to_thread(self.desks.read_again)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Front:
    """The ASGI application at the front: events to the reception, the rest to the console.

    Args:
        reception: Answers ingestion routes.
        rest: Answers everything else.
    """

    def __init__(self, reception: Reception, rest: ASGIApp) -> None:
        """Keep both."""
        self.reception, self._rest = reception, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not self.reception.takes(scope["path"]):
            await self._rest(scope, receive, send)
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        body = await _body(receive, self.reception.body_limit(scope["path"]))
        reply = asyncio.get_running_loop().create_future()
        if body is None:
            reply.set_result(too_large(headers, self.reception.body_limit(scope["path"])))
        else:
            query = scope["query_string"].decode("latin-1")
            request = Request(scope["method"], scope["path"], query, headers, body)
            client = scope.get("client")
            self.reception.answer(request, client[0] if client else None, reply.set_result)
        status, answered, content = await reply
        lines = [(name.encode(), value.encode("latin-1")) for name, value in answered.items()]
        if status != 204:
            lines.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": lines})
        is_asked = scope["method"] != "HEAD"
        await send({"type": "http.response.body", "body": content if is_asked else b""})


def too_large(headers: dict[str, str], limit: int) -> Reply:
    """Say that a body is too large.

    Returns:
        The answer; sending it again would not help.
    """
    message = f"the body is over {limit} bytes; send smaller batches"
    return refused(413, "too_large", message, headers)


def target_of(target: str) -> tuple[str, str]:
    """Split the target of a request into path and query.

    Returns:
        The path, decoded, and the query as sent.

    Example:
        >>> target_of("/sa%2Egif?data=e30%3D")
        ('/sa.gif', 'data=e30%3D')
    """
    path, _, query = target.partition("?")
    return (unquote(path) if "%" in path else path), query


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Read a body; None when it is over the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _check_scopes(request: Request, parsed: Parsed, key: WriteKey) -> None:
    origin = request.headers.get("origin", "").lower()
    if "events" not in key.scopes:
        raise Refused(403, "scope", "this write key may not send events; use another")
    if key.origins and origin and origin not in key.origins:
        raise Refused(403, "origin", "this write key may not be used by pages of this origin")
    if key.dialects and parsed.dialect not in key.dialects:
        known = ", ".join(sorted(key.dialects))
        raise Refused(
            403, "dialect", f"this write key is for {known}; this request is {parsed.dialect}"
        )


def _accepted(request: Request, answer: Answer, ack: Ack) -> Reply:
    kind, body = answer.render(
        receipt=ack.receipt,
        accepted=ack.accepted,
        duplicates=ack.duplicates,
        quarantined=ack.quarantined,
    )
    return said(200, kind, body, request.headers)


def _refusal(request: Request, error: Refused) -> Reply:
    return refused(error.status, error.code, error.message, request.headers)


def _busy(request: Request, error: Busy) -> Reply:
    return refused(error.status, error.code, error.message, request.headers, wait=error.retry_after)


def _address(request: Request, client: str | None) -> str | None:
    """Give the client's address: what a proxy on this machine says, else the connection's."""
    if client in LOCAL and (forwarded := request.headers.get("x-forwarded-for")):
        return forwarded.rpartition(",")[2].strip()[:64]
    return client
