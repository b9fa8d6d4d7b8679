"""The door providers bring receipts to: signed by them, read by their parser, taken in once."""

import hmac
import logging
import os

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed
from regulars.reach.receipts.service import Covering, take
from regulars.records.receipts import ParsedReceipt
from regulars.serve.console.rendering import caller_of
from regulars.serve.public.strikes import Strikes, network_of
from regulars.serve.sending.callbacks.granting import by_channel
from regulars.serve.sending.callbacks.greeting import greet_new

_LOG = logging.getLogger("regulars.serve")
# What providers want to hear: Aliyun looks at code, Tencent at result.
_HEARD = {"code": 0, "msg": "OK", "result": 0, "errmsg": "OK"}
# Letters are signed by nobody, so anybody may bring one.
_LETTERS = "email"
MOST_LETTER_BYTES = 1 << 20


class ReceiptDoor:
    """Takes posts of receipts, and slows whoever keeps bringing what is of no use.

    A post that counts is never refused because of others: providers bring theirs from a few
    addresses, and behind a proxy everybody may have the same one.
    """

    def __init__(self) -> None:
        """Start with nobody counted."""
        self._strikes = Strikes()

    def routes(self) -> list[Route]:
        """Give the routes.

        Returns:
            Two; the provider's signature stands for a sign-in.
        """
        path = "/api/reach/receipts/{channel}"
        return [
            Route(path, self.take_receipts, methods=["POST"]),
            Route(path, answer_challenge, methods=["GET"]),
        ]

    async def take_receipts(self, request: Request) -> Response:
        """Take in what a provider says of contacts of one channel.

        Returns:
            The answer, once it is on disk; what came before is answered the same and changes
            nothing. 429 for the next useless post of whoever brought too many.
        """
        raw = await request.body()
        return await run_in_threadpool(self._take, request, raw)

    def _take(self, request: Request, raw: bytes) -> Response:
        caller, channel = caller_of(request), request.path_params["channel"]
        workspace = caller.workspace
        try:
            receipts = _read(request, raw)
        except (InputError, NotAllowed, HTTPException) as error:
            if self._has_struck(request):
                return _slowed()
            _LOG.warning("receipts of channel %s are refused: %s", channel, type(error).__name__)
            raise
        if not receipts and not _is_vouched_for(request) and self._has_struck(request):
            return _slowed()
        # First of all: the code of a greeting holds for 20 seconds.
        greet_new(workspace, channel, raw, _headers(request), now=caller.now)
        covering = Covering(workspace.protector.token, workspace.protector.seal)
        sorted_out = by_channel(workspace.settings.channels, channel, receipts)
        taken = [
            take(workspace.state, name, own, covering=covering, now=caller.now, raw=raw)
            for name, own in sorted_out.items()
        ]
        counted = {
            "received": sum(one.received for one in taken),
            "again": sum(one.again for one in taken),
            "waiting": sum(one.waiting for one in taken),
        }
        return JSONResponse(_HEARD | counted)

    def _has_struck(self, request: Request) -> bool:
        """Count a useless post; True when there were too many of its address this minute."""
        address = network_of(request.client.host if request.client else None)
        return self._strikes.strike(address, now=caller_of(request).now)


def answer_challenge(request: Request) -> Response:
    """Answer the test a provider makes of a new address, when it is signed.

    Returns:
        What the provider wants back; 404 for providers that make no such test.
    """
    caller, channel = caller_of(request), request.path_params["channel"]
    echo = caller.workspace.answer_challenge(channel, _headers(request), now=caller.now)
    return PlainTextResponse(echo, 200 if echo else 404)


def _headers(request: Request) -> dict[str, str]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers | {f"?{name}": value for name, value in request.query_params.items()}


def _read(request: Request, raw: bytes) -> list[ParsedReceipt]:
    caller, channel = caller_of(request), request.path_params["channel"]
    part = caller.workspace.settings.channels.get(channel)
    if part is not None and part.via == _LETTERS and len(raw) > MOST_LETTER_BYTES:
        raise HTTPException(413)
    return caller.workspace.read_receipts(channel, raw, _headers(request), now=caller.now)


def _is_vouched_for(request: Request) -> bool:
    """Whether its bringer knows a secret; every parser but that of letters refuses others."""
    part = caller_of(request).workspace.settings.channels.get(request.path_params["channel"])
    if part is None or part.via != _LETTERS:
        return True
    word = os.environ.get(part.receipt_secret_env, "")
    told = request.query_params.get("key", "")
    return bool(word) and hmac.compare_digest(told.encode(), word.encode())


def _slowed() -> Response:
    return PlainTextResponse("too many", 429, {"retry-after": "60"})
