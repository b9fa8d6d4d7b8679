"""The door providers bring receipts to: signed by them, read by their parser, taken in once."""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.reach.receipts.service import Covering, take
from regulars.serve.console.rendering import caller_of
from regulars.serve.sending.greeting import greet_new

_LOG = logging.getLogger("regulars.serve")
# What providers want to hear: Aliyun looks at code, Tencent at result.
_HEARD = {"code": 0, "msg": "OK", "result": 0, "errmsg": "OK"}


async def take_receipts(request: Request) -> Response:
    """Take in what a provider says of contacts of one channel.

    Returns:
        The answer, once it is on disk; what came before is answered the same and changes nothing.
    """
    raw = await request.body()
    return await run_in_threadpool(_take, request, raw)


def answer_challenge(request: Request) -> Response:
    """Answer the test a provider makes of a new address, when it is signed.

    Returns:
        What the provider wants back; 404 for providers that make no such test.
    """
    caller, channel = caller_of(request), request.path_params["channel"]
    echo = caller.workspace.answer_challenge(channel, _headers(request), now=caller.now)
    return PlainTextResponse(echo, 200 if echo else 404)


def routes() -> list[Route]:
    """Give the routes.

    Returns:
        Two; the provider's signature stands for a sign-in.
    """
    path = "/api/reach/receipts/{channel}"
    return [
        Route(path, take_receipts, methods=["POST"]),
        Route(path, answer_challenge, methods=["GET"]),
    ]


def _headers(request: Request) -> dict[str, str]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers | {f"?{name}": value for name, value in request.query_params.items()}


def _take(request: Request, raw: bytes) -> Response:
    caller, channel = caller_of(request), request.path_params["channel"]
    workspace = caller.workspace
    try:
        receipts = workspace.read_receipts(channel, raw, _headers(request), now=caller.now)
    except InputError as error:
        _LOG.warning("receipts of channel %s cannot be read: %s", channel, type(error).__name__)
        raise
    # First of all: the code of a greeting holds for 20 seconds.
    greet_new(workspace, channel, raw, _headers(request), now=caller.now)
    protector = workspace.protector
    taken = take(
        workspace.state,
        channel,
        receipts,
        covering=Covering(protector.token, protector.seal),
        now=caller.now,
        raw=raw,
    )
    counted = {"received": taken.received, "again": taken.again, "waiting": taken.waiting}
    return JSONResponse(_HEARD | counted)
