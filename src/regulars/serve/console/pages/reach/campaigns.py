"""Campaigns: those of one turn, and one of them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.reach.campaigns.service import list_campaigns
from regulars.serve.console.drawing import predictions_chart
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.measure import campaign, campaign_effects, campaigns, decided_turns
from regulars.serve.http.reach import ledger


class CampaignPages:
    """Handlers of the pages about campaigns.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/campaigns", self.campaigns, methods=["GET"]),
            Route("/campaigns/{campaign_id}", self.campaign, methods=["GET"]),
        ]

    def campaigns(self, request: Request) -> Response:
        """The campaigns of one turn."""
        wanted = request.query_params.get("turn", "")
        with caller_of(request).workspace.reading() as engine:
            known = decided_turns(engine)
            is_known = wanted.isdecimal() and int(wanted[:9]) in known
            turn = int(wanted) if is_known else known[0] if known else None
            found = campaigns(engine, turn=turn) if turn is not None else []
            counted = ledger(engine, turn=turn)
            effects = {one.campaign_id: one for one in campaign_effects(engine)}
        return self._pages.page(
            request,
            "reach/campaigns/list.html",
            written=list_campaigns(caller_of(request).workspace.state),
            effects=effects,
            turn=turn,
            turns=known,
            campaigns=found,
            ledger=counted,
            chart=predictions_chart(request, found),
        )

    def campaign(self, request: Request) -> Response:
        """One campaign."""
        with caller_of(request).workspace.reading() as engine:
            found = campaign(engine, request.path_params["campaign_id"])
        return self._pages.page(request, "reach/campaigns/of_turn.html", campaign=found)
