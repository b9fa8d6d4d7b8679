"""The door of pages: a publishable key, an origin it is bound to, and not too often."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from regulars.collect.anomalies.agents import kinds_of_agents
from regulars.errors import InputError, NotAllowed, RegularsError
from regulars.govern.access.publishable_keys.service import PublishableKey, find_publishable_key
from regulars.serve.console.rendering import caller_of
from regulars.serve.http.door.workspaces import Site, Workspace
from regulars.serve.public.slots.asking import SlotAsked, Slots, SlotTold, tell
from regulars.serve.public.slots.script import ROUTES as SCRIPT
from regulars.serve.public.strikes import Strikes, network_of

MOST_BYTES = 4096
ASKS_A_MINUTE, TELLS_A_MINUTE, ASKS_OF_KEY = 120, 240, 6_000
PREFLIGHT_SECONDS = 600
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_LOG = logging.getLogger("regulars.serve")

Answering = Callable[[Workspace, PublishableKey, Any, datetime], dict[str, Any]]


class SlotDoor:
    """Handlers of what pages with a publishable key may do: ask for a place, and tell.

    Args:
        site: The workspaces served.
    """

    def __init__(self, site: Site) -> None:
        """Start with nobody counted."""
        self._site, self._slots = site, Slots()
        self._asks, self._tells = Strikes(most=ASKS_A_MINUTE), Strikes(most=TELLS_A_MINUTE)
        self._asks_of_key = Strikes(most=ASKS_OF_KEY)

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        path, methods = "/api/reach/slot/{key}", ["POST", "OPTIONS"]
        return [
            Route(f"{path}/ask", self.ask, methods=methods),
            Route(f"{path}/tell", self.tell, methods=methods),
            *SCRIPT,
        ]

    async def ask(self, request: Request) -> Response:
        """Say what a place of a page shows its visitor."""

        def found(w: Workspace, key: PublishableKey, asked: Any, now: datetime) -> dict[str, Any]:
            if _is_left_alone(request):
                return {"shown": None}
            return self._slots.ask(w, key, asked, now=now)

        return await self._answer(request, SlotAsked, found)

    async def tell(self, request: Request) -> Response:
        """Note what became of what was shown."""

        def found(w: Workspace, key: PublishableKey, told: Any, now: datetime) -> dict[str, Any]:
            if _is_left_alone(request):
                return {"counts": False}
            return tell(w, key, told, now=now)

        return await self._answer(request, SlotTold, found)

    async def _answer(self, request: Request, kind: type[Any], answering: Answering) -> Response:
        found = await run_in_threadpool(self._key, request.path_params["key"])
        if found is None:
            return _refused(
                401,
                "this publishable key is not known here or was revoked; "
                "give one out with: regulars govern publishable-key add NAME --origin ORIGIN",
            )
        workspace, key = found
        origin = request.headers.get("origin", "")
        if origin not in key.origins:
            return _refused(403, _why_not(origin))
        if request.method == "OPTIONS":
            return _open_to(origin, Response(status_code=204), is_preflight=True)
        if self._is_too_often(request, key, kind):
            answer = _refused(429, "too many requests from this address; wait a minute")
            answer.headers["retry-after"] = "60"
            return _open_to(origin, answer)
        body, now = await request.body(), caller_of(request).now
        answer = await run_in_threadpool(_answered, workspace, key, body, kind, answering, now)
        return _open_to(origin, answer)

    def _key(self, sent: str) -> tuple[Workspace, PublishableKey] | None:
        for workspace in self._site.by_name.values():
            if key := find_publishable_key(workspace.state, sent):
                return workspace, key
        return None

    def _is_too_often(self, request: Request, key: PublishableKey, kind: type[Any]) -> bool:
        now = caller_of(request).now
        address = f"{key.key} {network_of(request.client.host if request.client else None)}"
        if kind is SlotTold:
            return self._tells.strike(address, now=now)
        # Who is refused for his own sake does not count against the others of the key.
        return self._asks.strike(address, now=now) or self._asks_of_key.strike(key.key, now=now)


def _answered(
    workspace: Workspace,
    key: PublishableKey,
    body: bytes,
    kind: type[Any],
    answering: Answering,
    now: datetime,
) -> Response:
    try:
        if len(body) > MOST_BYTES:
            raise InputError(f"the body has {len(body)} bytes, at most {MOST_BYTES}")
        asked = msgspec.json.decode(body, type=kind)
        return _json(200, answering(workspace, key, asked, now))
    except msgspec.MsgspecError as error:
        return _refused(400, str(error))
    except InputError as error:
        return _refused(400, str(error))
    except NotAllowed as error:
        return _refused(403, str(error))
    except RegularsError as error:
        _LOG.warning("a place on a page stays as it is: %s", type(error).__name__)
        return _refused(503, "nothing can be decided now; the page stays as it is")


def _is_left_alone(request: Request) -> bool:
    """Whether it is a program, or somebody who does not want to be followed, or nobody looks."""
    headers = request.headers
    if headers.get("dnt") == "1" or headers.get("sec-gpc") == "1":
        return True
    ahead = " ".join(headers.get(name, "") for name in _AHEAD)
    if "prefetch" in ahead or "preview" in ahead or "prerender" in ahead:
        return True
    agent = headers.get("user-agent", "")
    kinds = kinds_of_agents(pa.array([agent]), of_pages=True)
    return not agent or kinds[0].as_py() is not None


def _why_not(origin: str) -> str:
    if not origin:
        return "no Origin was sent; a publishable key is for pages in a browser, use an API key"
    return (
        f"this publishable key may not be used by pages of {origin[:200]}; add a key with: "
        "regulars govern publishable-key add NAME --origin ORIGIN"
    )


def _open_to(origin: str, answer: Response, *, is_preflight: bool = False) -> Response:
    """Let pages of this one origin read an answer (Fetch, section 3.2)."""
    answer.headers["access-control-allow-origin"] = origin
    answer.headers["vary"] = "Origin"
    if is_preflight:
        answer.headers["access-control-allow-methods"] = "POST"
        answer.headers["access-control-allow-headers"] = "Content-Type"
        answer.headers["access-control-max-age"] = str(PREFLIGHT_SECONDS)
    return answer


def _json(status: int, content: Any) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _refused(status: int, message: str) -> Response:
    return _json(status, {"error": {"status": status, "message": message}})
