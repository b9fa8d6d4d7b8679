"""The ASGI application: JSON API and console behind one door."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from regulars.errors import InputError, NotAllowed, RegularsError, UnknownName
from regulars.govern.access import RoleMatrix
from regulars.govern.protection.redaction import mask_logs, redacted
from regulars.serve.console import pages as console
from regulars.serve.console.rendering import Pages
from regulars.serve.console.signing import SigningPages
from regulars.serve.console.words import REFUSALS
from regulars.serve.http import adjust, collect, decide, govern, measure, reach, understand, unify
from regulars.serve.http.decide.online import ROUTES as HOT_ROUTES
from regulars.serve.http.door.guard import Guard
from regulars.serve.http.door.role_matrix import ROLE_MATRIX
from regulars.serve.http.door.workspaces import Site
from regulars.serve.public.clicks import ClickPages
from regulars.serve.public.preferences import PreferencePages
from regulars.serve.public.receipts import ReceiptDoor
from regulars.serve.public.slots.door import SlotDoor
from regulars.serve.public.surveys import SurveyPages

_LOG = logging.getLogger("regulars.serve")


def _now() -> datetime:
    return datetime.now(UTC)


def make_web(
    site: Site,
    *,
    matrix: RoleMatrix = ROLE_MATRIX,
    clock: Callable[[], datetime] = _now,
    more_routes: tuple[BaseRoute, ...] = (),
) -> Guard:
    """Put API and console behind the door.

    Args:
        site: The workspaces served.
        matrix: Least role per route.
        clock: Gives the moment, aware UTC.
        more_routes: Routes beyond our own; each needs its line in the matrix.

    Returns:
        The application; it answers every route the matrix does not list with a refusal.
    """
    mask_logs()
    pages = Pages(site)
    web = FastAPI(
        title="Regulars", version="1", docs_url=None, redoc_url=None, lifespan=_closing(site)
    )
    web.router.routes.extend([*_routes(site, pages), *more_routes])

    def answer(scope: Scope, status: int, detail: str = "") -> Response:
        return _refusal(pages, StarletteRequest(scope), status, detail)

    async def ours(request: Request, error: Exception) -> Response:
        status = 404 if isinstance(error, UnknownName) else 503
        status = 400 if isinstance(error, InputError) and status == 503 else status
        status = 403 if isinstance(error, NotAllowed) else status
        detail = "" if status == 404 else redacted(str(error))
        return answer(request.scope, status, detail)

    async def plain(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        return answer(request.scope, code if code in REFUSALS else 400)

    async def wrong(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return answer(request.scope, 400, where)

    async def broken(request: Request, error: Exception) -> Response:
        _LOG.error("request failed: %s", type(error).__name__, exc_info=error)
        return answer(request.scope, 500)

    web.add_exception_handler(RegularsError, ours)
    web.add_exception_handler(HTTPException, plain)
    web.add_exception_handler(RequestValidationError, wrong)
    web.add_exception_handler(Exception, broken)
    return Guard(
        web,
        routes=web.router.routes,
        site=site,
        matrix=matrix,
        refuse=answer,
        clock=clock,
    )


def _closing(site: Site) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Close the workspaces when the server ends."""

    @asynccontextmanager
    async def lifespan(_web: FastAPI) -> AsyncGenerator[None]:
        yield
        for workspace in site.by_name.values():
            await run_in_threadpool(workspace.close)

    return lifespan


def _routes(site: Site, pages: Pages) -> list[BaseRoute]:
    here = files("regulars")
    found: list[BaseRoute] = [
        # First, because routes are tried in order and these are asked hundreds of times a second.
        *HOT_ROUTES,
        *reach.HOT_ROUTES,
        Route("/healthz", _healthy, methods=["GET"]),
        Mount("/static", StaticFiles(directory=Path(str(here / "serve" / "console" / "static")))),
        Mount("/vendor", StaticFiles(directory=Path(str(here / "charts" / "vendor")))),
        *SigningPages(site, pages).routes(),
        *ClickPages(site, pages).routes(),
        *PreferencePages(site, pages).routes(),
        *SurveyPages(site, pages).routes(),
        *ReceiptDoor().routes(),
        *SlotDoor(site).routes(),
        *console.routes(pages),
    ]
    for part in (adjust, collect, unify, understand, decide, reach, measure, govern):
        found += part.router.routes
    return found


def _healthy(_request: StarletteRequest) -> Response:
    return PlainTextResponse("ok")


def _refusal(pages: Pages, request: StarletteRequest, status: int, detail: str) -> Response:
    path = request.url.path
    title, says = REFUSALS[status]
    if path.startswith("/api/") or path == "/openapi.json":
        message = detail or f"{title}. {says}"
        return JSONResponse({"error": {"status": status, "message": message}}, status)
    is_part = request.headers.get("hx-request") == "true"
    is_page = request.method == "GET" and not is_part
    if status == 401 and is_page:
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Response(status_code=303, headers={"location": f"/sign-in?next={quote(address)}"})
    page = pages.page(
        request, "door/refused.html", status=status, title=title, says=says, detail=detail
    )
    if status == 401 and is_part:
        page.headers["HX-Redirect"] = "/sign-in"
    return page
