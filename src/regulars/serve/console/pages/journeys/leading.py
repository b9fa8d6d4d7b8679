"""What is done with a journey: ask for approval, publish, take back, pause, stop."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.serve.console.pages.journeys.journeys import journey_page, moves_in
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.sending.journeys import acting

Act = Callable[[Any, str, str, Any], object]


class LeadingPages:
    """Handlers of what is done with a journey.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        at = "/journeys/{journey_id}"
        return [
            Route(f"{at}/submit", self.submit, methods=["POST"]),
            Route(f"{at}/publish", self.publish, methods=["POST"]),
            Route(f"{at}/rollback", self.rollback, methods=["POST"]),
            Route(f"{at}/pause", self.pause, methods=["POST"]),
            Route(f"{at}/resume", self.resume, methods=["POST"]),
            Route(f"{at}/stop", self.stop, methods=["POST"]),
        ]

    def submit(self, request: Request) -> Response:
        """Ask for approval of the newest version."""
        return self._act(
            request,
            "journey_asked",
            lambda app, name, actor, now: acting.submit(app, name, actor=actor, now=now),
        )

    def publish(self, request: Request) -> Response:
        """Let customers come in by the newest version, those inside moved as the form says."""
        moves = moves_in(caller_of(request).form)
        return self._act(
            request,
            "journey_published",
            lambda app, name, actor, now: acting.publish(
                app, name, moves=moves, actor=actor, now=now
            ),
        )

    def rollback(self, request: Request) -> Response:
        """Put the version before in the place of the current one."""
        moves = moves_in(caller_of(request).form)
        return self._act(
            request,
            "journey_taken_back",
            lambda app, name, actor, now: acting.roll_back(
                app, name, moves=moves, actor=actor, now=now
            ),
        )

    def pause(self, request: Request) -> Response:
        """Let nobody go on."""
        reason = caller_of(request).form.get("note", "").strip() or "paused on the page"
        return self._act(
            request,
            "journey_paused",
            lambda app, name, actor, now: acting.pause(
                app, name, reason=reason, actor=actor, now=now
            ),
        )

    def resume(self, request: Request) -> Response:
        """Let it go on."""
        return self._act(
            request,
            "resumed",
            lambda app, name, actor, now: acting.resume(app, name, actor=actor, now=now),
        )

    def stop(self, request: Request) -> Response:
        """End it for good."""
        reason = caller_of(request).form.get("note", "").strip() or "ended on the page"
        return self._act(
            request,
            "ended",
            lambda app, name, actor, now: acting.stop(
                app, name, reason=reason, actor=actor, now=now
            ),
        )

    def _act(self, request: Request, said: str, act: Act) -> Response:
        caller, name = caller_of(request), request.path_params["journey_id"]
        try:
            with caller.workspace.holding() as app:
                act(app, name, caller.actor, caller.now)
        except UnknownName as error:
            if error.kind == "journey":
                raise
            return self._refused(request, str(error))
        except (InputError, NotAllowed, NotReady) as error:
            return self._refused(request, str(error))
        caller.workspace.desk.wake.set()
        return RedirectResponse(f"/journeys/{quote(name, safe='')}?said={said}", 303)

    def _refused(self, request: Request, problem: str) -> Response:
        return journey_page(self._pages, request, view="versions", problem=problem, status=400)
