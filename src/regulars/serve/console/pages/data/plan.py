"""The tracking plan: what is declared, what came, what broke it; strangers adopted."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.collect.quality.plan.coverage import BEHAVIOURS
from regulars.errors import InputError, UnknownName
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.collect.planning import adopt_event, changes_between, planned


class PlanPage:
    """Handlers of the page about the tracking plan.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/data/plan", self.plan, methods=["GET"]),
            Route("/data/plan/adopt", self.adopt, methods=["POST"]),
        ]

    def plan(self, request: Request) -> Response:
        """Coverage, strangers, faults, conflicts and versions."""
        return self._page(request)

    def adopt(self, request: Request) -> Response:
        """Declare an event as it was observed."""
        form = caller_of(request).form
        means, family = form.get("means", ""), form.get("family", "")
        try:
            adopt_event(caller_of(request), form.get("event", ""), means=means, family=family)
        except UnknownName:
            raise
        except InputError as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/data/plan?said=adopted", 303)

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        state, query = caller_of(request).workspace.state, request.query_params
        found = planned(state)
        newest = found.held.version
        old = _number(query.get("old", ""), max(newest - 1, 0))
        new = _number(query.get("new", ""), newest)
        return self._pages.page(
            request,
            "data/plan.html",
            status=status,
            planned=found,
            behaviours=BEHAVIOURS,
            old=old,
            new=new,
            changes=changes_between(state, old, new),
            problem=problem,
        )


def _number(text: str, otherwise: int) -> int:
    return int(text[:9]) if text.isdecimal() and text.isascii() else otherwise
