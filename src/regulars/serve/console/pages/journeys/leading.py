"""What is done with a journey: ask for approval, publish, take back, pause, stop."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.serve.console.pages.deeds import Deed, Deeds, why
from regulars.serve.console.pages.journeys.journeys import journey_page, moves_in
from regulars.serve.console.rendering import Pages
from regulars.serve.sending.journeys import acting

DEEDS = {
    "submit": Deed("journey_asked", lambda app, name, form, by: acting.submit(app, name, **by)),
    "publish": Deed(
        "journey_published",
        lambda app, name, form, by: acting.publish(app, name, moves=moves_in(form), **by),
    ),
    "rollback": Deed(
        "journey_taken_back",
        lambda app, name, form, by: acting.roll_back(app, name, moves=moves_in(form), **by),
    ),
    "pause": Deed(
        "journey_paused",
        lambda app, name, form, by: acting.pause(
            app, name, reason=why(form, "paused on the page"), **by
        ),
    ),
    "resume": Deed("resumed", lambda app, name, form, by: acting.resume(app, name, **by)),
    "stop": Deed(
        "ended",
        lambda app, name, form, by: acting.stop(
            app, name, reason=why(form, "ended on the page"), **by
        ),
    ),
}
"""By verb; publishing and taking back move those inside as the form says."""


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
        return Deeds("journey", "/journeys", DEEDS, self._refused).routes()

    def _refused(self, request: Request, problem: str) -> Response:
        return journey_page(self._pages, request, view="versions", problem=problem, status=400)
