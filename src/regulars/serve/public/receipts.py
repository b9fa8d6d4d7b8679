"""The door providers bring receipts to: signed by them, read by their parser, taken in once."""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.reach.receipts.service import Covering, take
from regulars.serve.console.rendering import caller_of

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


def routes() -> list[Route]:
    """Give the route.

    Returns:
        One route; the provider's signature stands for a sign-in.
    """
    return [Route("/api/reach/receipts/{channel}", take_receipts, methods=["POST"])]


def _take(request: Request, raw: bytes) -> Response:
    caller, channel = caller_of(request), request.path_params["channel"]
    workspace = caller.workspace
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {f"?{name}": value for name, value in request.query_params.items()}
    try:
        receipts = workspace.read_receipts(channel, raw, headers, now=caller.now)
    except InputError as error:
        _LOG.warning("receipts of channel %s cannot be read: %s", channel, type(error).__name__)
        raise
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
