"""Models: what serves, since when, how good it is, who was tried against it; promote, go back."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import RegularsError
from regulars.serve.console.drawing import trials_chart
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.adjust.models import (
    Promoted,
    Why,
    lines_of,
    promote_of,
    rollback_of,
)
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
        caller, family = caller_of(request), request.path_params["family"]
        reason, version = (caller.form.get(name, "").strip() for name in ("reason", "version"))
        try:
            if caller.form.get("verb") == "rollback":
                rollback_of(caller, family, Why(reason=reason))
            else:
                promote_of(caller, family, Promoted(reason=reason, version=version))
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/models?said=model_said", 303)

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
