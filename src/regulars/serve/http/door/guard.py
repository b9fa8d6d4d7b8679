"""The door: every request passes session, role matrix and CSRF; every answer gets its headers."""

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulars.govern.access import Role, RoleMatrix
from regulars.govern.access.api_keys.service import ApiKey, find_key
from regulars.govern.access.service import LOCALES, SESSION_HOURS, Session, find_session
from regulars.serve.http.door.workspaces import Site, Workspace

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_BODY_BYTES = 64 * 1024
LARGE_BODY_BYTES = {
    "POST /api/decide/batch": 1 << 20,
    "POST /api/reach/receipts/{channel}": 4 << 20,
    "PUT /api/reach/campaigns/{campaign_id}": 64 << 20,
    "POST /api/reach/campaigns/{campaign_id}/changes": 64 << 20,
    "POST /journeys/{journey_id}/edit": 1 << 20,
    "POST /journeys/{journey_id}/save": 1 << 20,
    "POST /api/govern/consent/import": 16 << 20,
    "POST /api/govern/suppress/import": 16 << 20,
    "POST /api/govern/copycheck": 4 << 20,
}
SESSION_COOKIE = "regulars_session"
FORM_COOKIE = "regulars_form"
LOCALE_COOKIE = "regulars_locale"
WORKSPACE_COOKIE = "regulars_workspace"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# A page behind a signed link has no script, and its address, which is its key, goes nowhere.
SIGNED_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


# A script for pages of other origins, kept by browsers: its own answer says for how long.
SHARED = "/onsite.js"
SHARED_HEADERS = {"Cross-Origin-Resource-Policy": "cross-origin"}


@dataclass(frozen=True)
class Caller:
    """What is known of a request once it has passed the door.

    Attributes:
        workspace: The workspace it looks at.
        session: Who is signed in, or None on an open route.
        token: The session token sent, "" when none.
        form: Fields of the form sent, the last value of each.
        form_token: What a form of somebody not signed in must send back.
        locale: Language of the answer.
        now: The moment of the request, aware UTC.
        is_secure: True over HTTPS.
        key: The API key that came with it, or None; a request has a key or a session.
    """

    workspace: Workspace
    session: Session | None
    token: str
    form: dict[str, str]
    form_token: str
    locale: str
    now: datetime
    is_secure: bool
    key: ApiKey | None = None

    @property
    def actor(self) -> str:
        """The name the audit log keeps."""
        if self.key:
            return self.key.actor
        return self.session.user.name if self.session else "nobody"

    @property
    def role(self) -> Role | None:
        """What the caller may do; None when nobody is signed in."""
        if self.key:
            return self.key.role
        return self.session.user.role if self.session else None


Refuse = Callable[[Scope, int], Response]


class Guard:
    """ASGI middleware that refuses everything the matrix does not allow.

    Args:
        app: The application behind the door.
        routes: Its routes, in the order they are tried.
        site: The workspaces served; users are those of its home.
        matrix: Least role per route.
        refuse: Makes the answer to a refused request, given scope and status code.
        clock: Gives the moment, aware UTC.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        site: Site,
        matrix: RoleMatrix,
        refuse: Refuse,
        clock: Callable[[], datetime],
    ) -> None:
        """Keep what the door needs; nothing is opened."""
        self._app, self.routes, self._site = app, routes, site
        self._matrix, self._refuse, self._clock = matrix, refuse, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a refusal."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = route_of(self.routes, scope)
        is_signed = self._matrix.is_signed(route or "")
        # Who comes by a signed link is nobody else, whatever cookies his browser sends along.
        caller = await self._caller(scope, cookies={} if is_signed else _cookies(scope))
        scope.setdefault("state", {})["caller"] = caller
        answer = _with_headers(scope, send, caller, is_signed=is_signed)
        status = self._verdict(route, caller.role)
        if status is None and scope["method"] not in SAFE_METHODS:
            body = await _read(receive, LARGE_BODY_BYTES.get(route or "", MOST_BODY_BYTES))
            if body is None:
                status = 413
            else:
                receive = _replay(body)
                caller.form.update(_form(scope, body))
                is_open = self._matrix.is_open(route or "")
                # A browser never sends a key by itself, so a key needs no form token.
                # Nor has a signed link anything to ride on: its token is the permission.
                needs_form = caller.key is None and not is_signed
                if needs_form and not _is_our_form(scope, caller, is_open=is_open):
                    status = 403
        if status is None:
            await self._app(scope, receive, answer)
        else:
            await self._refuse(scope, status)(scope, receive, answer)

    def _verdict(self, route: str | None, role: Role | None) -> int | None:
        if route is not None and self._matrix.allows(route, role):
            return None
        if role is None:
            return 401
        return 404 if route is None else 403

    async def _caller(self, scope: Scope, *, cookies: dict[str, str]) -> Caller:
        query = QueryParams(scope["query_string"])
        is_secure = scope.get("scheme") == "https"
        token = cookies.get(cookie_name(SESSION_COOKIE, is_secure=is_secure), "")
        now = self._clock()
        session, key = None, None
        if sent := _sent_key(scope):
            key = await run_in_threadpool(find_key, self._site.home.state, sent)
        elif token:
            session = await run_in_threadpool(find_session, self._site.home.state, token, now=now)
        name = query.get("workspace") or cookies.get(WORKSPACE_COOKIE) or ""
        workspace = self._site.by_name.get(name, self._site.home)
        wanted = [query.get("lang"), cookies.get(LOCALE_COOKIE)]
        wanted += [session.user.locale] if session else []
        wanted += [_accepted(Headers(scope=scope).get("accept-language", ""))]
        locale = next((w for w in wanted if w in LOCALES), workspace.settings.retailer.locale)
        form_token = cookies.get(FORM_COOKIE, "") or secrets.token_urlsafe(32)
        return Caller(workspace, session, token, {}, form_token, str(locale), now, is_secure, key)


def route_of(routes: Sequence[BaseRoute], scope: Scope) -> str | None:
    """Name the route a request will be answered by, as the role matrix names it.

    Args:
        routes: The routes, in the order they are tried.
        scope: The request; HEAD counts as GET.

    Returns:
        "METHOD /path/{template}", or None when no route takes it.
    """
    for route in routes:
        if route.matches(scope)[0] is Match.FULL:
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            return f"{method} {getattr(route, 'path', '?')}"
    return None


def cookie_name(name: str, *, is_secure: bool) -> str:
    """Bind a cookie to this very host over HTTPS (RFC 6265bis, 4.1.3.2).

    Returns:
        The name with the prefix `__Host-` over HTTPS, else the bare name.

    Example:
        >>> cookie_name("a", is_secure=True), cookie_name("a", is_secure=False)
        ('__Host-a', 'a')
    """
    return f"__Host-{name}" if is_secure else name


def keep_session(response: Response, caller: Caller, token: str) -> None:
    """Hand a new session's token to the browser."""
    response.set_cookie(
        cookie_name(SESSION_COOKIE, is_secure=caller.is_secure),
        token,
        max_age=SESSION_HOURS * 3600,
        httponly=True,
        samesite="lax",
        secure=caller.is_secure,
        path="/",
    )


def drop_session(response: Response, caller: Caller) -> None:
    """Make the browser forget the session's token."""
    response.delete_cookie(
        cookie_name(SESSION_COOKIE, is_secure=caller.is_secure),
        httponly=True,
        samesite="lax",
        secure=caller.is_secure,
        path="/",
    )


def _sent_key(scope: Scope) -> str:
    """Take the API key of a request; "" when there is none, or it is not for the API."""
    return sent_key(Headers(scope=scope)) if scope["path"].startswith("/api/") else ""


def sent_key(headers: Mapping[str, str]) -> str:
    """Take the API key out of headers by lower-case name.

    Returns:
        What was sent as a key; "" when there is none.

    Example:
        >>> sent_key({"authorization": "Bearer rk_1"}), sent_key({"x-api-key": "rk_2"})
        ('rk_1', 'rk_2')
    """
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _is_our_form(scope: Scope, caller: Caller, *, is_open: bool) -> bool:
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    sent = headers.get("x-csrf-token") or caller.form.get("csrf_token", "")
    # On an open route nobody need be signed in: the form's own cookie stands for the session.
    wanted = _cookies(scope).get(FORM_COOKIE, "")
    if caller.session and not is_open:
        wanted = caller.session.csrf_token
    return bool(wanted) and hmac.compare_digest(sent.encode(), wanted.encode())


def _with_headers(scope: Scope, send: Send, caller: Caller, *, is_signed: bool) -> Send:
    is_shared = scope["path"] == SHARED
    told = HEADERS | SIGNED_HEADERS if is_signed else HEADERS
    told = told | SHARED_HEADERS if is_shared else told
    is_static = scope["path"].startswith(("/static/", "/vendor/"))
    query = QueryParams(scope["query_string"])

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in told.items():
                headers[name] = value
            if not (is_shared and "cache-control" in headers):
                headers["Cache-Control"] = "public, max-age=3600" if is_static else "no-store"
            if caller.is_secure:
                headers["Strict-Transport-Security"] = "max-age=31536000"
            for cookie in [] if is_signed or is_shared else _new_cookies(scope, query, caller):
                headers.append("set-cookie", cookie)
        await send(message)

    return answer


def _new_cookies(scope: Scope, query: QueryParams, caller: Caller) -> list[str]:
    response = Response()
    options: dict[str, Any] = {"samesite": "lax", "secure": caller.is_secure, "path": "/"}
    if query.get("lang") in LOCALES:
        response.set_cookie(LOCALE_COOKIE, caller.locale, max_age=31536000, **options)
    if query.get("workspace") == caller.workspace.name:
        response.set_cookie(WORKSPACE_COOKIE, caller.workspace.name, **options)
    if scope["path"] == "/sign-in":
        response.set_cookie(FORM_COOKIE, caller.form_token, httponly=True, **options)
    return [value.decode() for name, value in response.raw_headers if name == b"set-cookie"]


def _cookies(scope: Scope) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for header in Headers(scope=scope).getlist("cookie"):
        with suppress(CookieError):
            jar.load(header)
    return {name: morsel.value for name, morsel in jar.items()}


def _accepted(header: str) -> str | None:
    first = header.partition(",")[0].strip().lower()
    return {"zh": "zh-CN", "en": "en"}.get(first[:2])


async def _read(receive: Receive, most: int) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return body


def _replay(body: bytes) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive


def _form(scope: Scope, body: bytes) -> dict[str, str]:
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
