"""Effects: what each campaign, journey and offer caused, and whether promises came true."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.decide.offers.keeping.service import offer_names_in_force
from regulars.measure.running import caused, promises
from regulars.serve.console.drawing import caused_chart, promises_chart
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.measure import programme
from regulars.serve.http.measure.experiments import today_of
from regulars.serve.sending.explaining import call

DRAWN = 16
"""Effects drawn, the newest; more cannot be told apart."""
REFUSED = ("srm", "nobody_held_out", "too_few")
"""Gates that keep an effect from being read, the gravest first."""


class EffectsPage:
    """Handler of the page about effects.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/effects", self.effects, methods=["GET"])]

    def effects(self, request: Request) -> Response:
        """What was caused, what was promised, and what must not be read."""
        caller = caller_of(request)
        with caller.workspace.reading() as engine:
            found = caused(engine, today=today_of(caller))
            came, whole = promises(engine), programme(engine)
            offers = offer_names_in_force(engine, caller.workspace.state, now=caller.now)
        shown = [one.name for one in found] + [one.name for one in came]
        names = call(caller.workspace.state, shown, offer_names=offers)
        readable = [one for one in found if one.gate == "ok"]
        refused = [one for one in found if one.gate in REFUSED]
        return self._pages.page(
            request,
            "money/effects.html",
            programme=whole,
            readable=readable,
            refused={gate: [one for one in refused if one.gate == gate] for gate in REFUSED},
            waiting=[one for one in found if one.gate == "waiting"],
            came=came,
            kept=sum(one.low <= one.predicted <= one.high for one in came),
            chart=caused_chart(request, readable[:DRAWN], names),
            promises=promises_chart(request, came, names),
            drawn=DRAWN,
            names=names,
        )
