"""Models: what serves, since when, how good it is, who was tried against it; promote, go back."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.serve.console.drawing import trials_chart
from regulars.serve.console.pages.deeds import done_or_refused
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.adjust.models import (
    Promoted,
    Why,
    lines_of,
    promote_of,
    rollback_of,
)
from regulars.serve.http.door.guard import Caller
from regulars.understand.champions.service import Line

TRIALS_SHOWN = 12


class ModelsPage:
    """Handlers of the page about models.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/models", self.models, methods=["GET"]),
            Route("/models/{family}", self.change, methods=["POST"]),
        ]

    def models(self, request: Request) -> Response:
        """What serves, and how good it is."""
        return self._page(request)

    def change(self, request: Request) -> Response:
        """Promote a recipe, or go back to the champion before."""

        def changed(caller: Caller) -> str:
            family = request.path_params["family"]
            reason, version = (caller.form.get(name, "").strip() for name in ("reason", "version"))
            if caller.form.get("verb") == "rollback":
                rollback_of(caller, family, Why(reason=reason))
            else:
                promote_of(caller, family, Promoted(reason=reason, version=version))
            return "/models?said=model_said"

        return done_or_refused(
            request, changed, lambda why: self._page(request, problem=why, status=400)
        )

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        lines = lines_of(caller_of(request))
        return self._pages.page(
            request,
            "adjust/models.html",
            status=status,
            lines=lines,
            charts={one.family: trials_chart(request, _compared(one)) for one in lines},
            trials_shown=TRIALS_SHOWN,
            problem=problem,
        )


def _compared(line: Line) -> list[dict[str, object]]:
    """Trials with an interval, the oldest first."""
    found = [row for row in line.trials if row["metrics"].get("estimate") is not None]
    return [dict(row) for row in reversed(found[:TRIALS_SHOWN])]
