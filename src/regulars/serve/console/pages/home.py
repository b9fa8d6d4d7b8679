"""Home: health, the last turn, the money caused."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.govern.policy.service import stopped
from regulars.serve.console.drawing import effects_chart
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.collect.state import collected
from regulars.serve.http.govern import audit_state
from regulars.serve.http.measure import programme, turn_effects
from regulars.serve.http.reach import ledger
from regulars.serve.http.turns import turns


class HomePage:
    """Handler of the first page.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/", self.home, methods=["GET"])]

    def home(self, request: Request) -> Response:
        """Health, the last turn, the money caused."""
        workspace = caller_of(request).workspace
        with workspace.reading() as engine:
            held, effects = collected(engine), turn_effects(engine)
            last_ledger, caused = ledger(engine), programme(engine)
        return self._pages.page(
            request,
            "home.html",
            turns=turns(workspace.state),
            collected=held,
            ledger=last_ledger,
            programme=caused,
            effects=effects,
            chart=effects_chart(request, effects),
            audit=audit_state(workspace),
            stopped=stopped(workspace.state),
        )
