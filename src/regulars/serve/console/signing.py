"""Signing in and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.govern.access.service import sign_in, sign_out
from regulars.govern.audit.service import anchor
from regulars.serve.console.rendering import Pages
from regulars.serve.console.words import N_
from regulars.serve.http.door.guard import Caller, drop_session, keep_session
from regulars.serve.http.door.workspaces import Site

WRONG = N_("The name or the password is wrong.")
WAIT = N_("Too many wrong attempts. Wait a moment, then try again.")


class SigningPages:
    """Handlers of signing in and out.

    Args:
        site: The workspaces served; users are those of its home.
        pages: Makes pages of templates.
    """

    def __init__(self, site: Site, pages: Pages) -> None:
        """Keep what handlers need."""
        self._home, self._pages = site.home, pages

    def routes(self) -> list[Route]:
        """Give the routes of signing in and out.

        Returns:
            The routes.
        """
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.enter, methods=["POST"]),
            Route("/sign-out", self.leave, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """The form to sign in with."""
        caller: Caller = request.state.caller
        if caller.session:
            return RedirectResponse("/", 303)
        return self._form(request)

    def enter(self, request: Request) -> Response:
        """Check name and password; a right pair gets a session of its own, never a given one."""
        caller: Caller = request.state.caller
        home = self._home
        outcome = sign_in(
            home.state,
            name=caller.form.get("name", "").strip(),
            password=caller.form.get("password", ""),
            address=request.client.host if request.client else "unknown",
            now=caller.now,
        )
        if outcome.wait_seconds:
            response = self._form(request, WAIT, 429)
            response.headers["Retry-After"] = str(outcome.wait_seconds)
            return response
        if outcome.token is None:
            anchor(home.state, folder=home.folder, at=caller.now)
            return self._form(request, WRONG, 401)
        if caller.session:
            sign_out(home.state, caller.token, actor=caller.actor, now=caller.now)
        anchor(home.state, folder=home.folder, at=caller.now)
        response = RedirectResponse(local_path(caller.form.get("next", "")), 303)
        keep_session(response, caller, outcome.token)
        return response

    def leave(self, request: Request) -> Response:
        """End the session."""
        caller: Caller = request.state.caller
        sign_out(self._home.state, caller.token, actor=caller.actor, now=caller.now)
        anchor(self._home.state, folder=self._home.folder, at=caller.now)
        response = RedirectResponse("/sign-in", 303)
        drop_session(response, caller)
        return response

    def _form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        wanted = request.query_params.get("next") or request.state.caller.form.get("next", "")
        return self._pages.page(
            request, "door/sign_in.html", status=status, problem=problem, next=local_path(wanted)
        )


def local_path(wanted: str) -> str:
    """Keep a page to go to only when it is one of ours.

    Args:
        wanted: The path asked for.

    Returns:
        The path, or "/" for anything that could lead elsewhere.

    Example:
        >>> local_path("/customers?page=2"), local_path("//evil.example"), local_path("http://x")
        ('/customers?page=2', '/', '/')
    """
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else "/"
