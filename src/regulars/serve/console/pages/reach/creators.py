"""Creators: their links and codes, what is attributed to each, and what is due."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.measure.attribution.service import MOST_WINDOW_DAYS, WINDOW_DAYS
from regulars.reach.links.creators.service import creator_links, creators, payouts
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.measure.attribution import DAYS, attributed

HELD_DAYS = 7
MOST_DAYS = 366


class CreatorsPage:
    """Handler of the page about creators.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [Route("/creators", self.creators, methods=["GET"])]

    def creators(self, request: Request) -> Response:
        """What each brought in the last days, by a rule that the page says."""
        caller = caller_of(request)
        workspace = caller.workspace
        days = _whole(request.query_params.get("days", ""), DAYS, MOST_DAYS)
        window = _whole(request.query_params.get("window", ""), WINDOW_DAYS, MOST_WINDOW_DAYS)
        until = caller.now - timedelta(days=HELD_DAYS)
        made, told = creators(workspace.state), attributed(caller, days=days, window=window)
        due = payouts(workspace.state, since=until - timedelta(days=days), until=until)
        return self._pages.page(
            request,
            "reach/contents/creators.html",
            creators=made,
            links=creator_links(workspace.state, workspace.links, made, now=caller.now),
            counts_clicks=bool(workspace.links.base_url),
            found={one.creator_id: one for one in told.creators},
            due={one.creator.creator_id: one for one in due},
            days=days,
            window=window,
            most_days=MOST_DAYS,
            most_window=MOST_WINDOW_DAYS,
            held_days=HELD_DAYS,
        )


def _whole(text: str, otherwise: int, most: int) -> int:
    """Read a number of days of an address; anything else is the usual number."""
    return min(max(int(text), 1), most) if text.isdecimal() and len(text) < 6 else otherwise
