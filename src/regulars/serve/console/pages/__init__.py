"""The pages: what a reader sees of each station, and what can be done there."""

from starlette.routing import Route

from regulars.serve.console.pages.campaigns import CampaignPages
from regulars.serve.console.pages.customers import CustomerPages
from regulars.serve.console.pages.data import DataPage
from regulars.serve.console.pages.events import EventPages
from regulars.serve.console.pages.home import HomePage
from regulars.serve.console.pages.identity import IdentityPages
from regulars.serve.console.pages.plan import PlanPage
from regulars.serve.console.pages.quarantine import QuarantinePages
from regulars.serve.console.pages.tags import TagPages
from regulars.serve.console.rendering import Pages

KINDS = (
    HomePage,
    CustomerPages,
    IdentityPages,
    CampaignPages,
    DataPage,
    EventPages,
    QuarantinePages,
    PlanPage,
    TagPages,
)


def routes(pages: Pages) -> list[Route]:
    """Give the routes of all pages.

    Args:
        pages: Makes pages of templates.

    Returns:
        The routes, in the order they are tried.
    """
    return [route for kind in KINDS for route in kind(pages).routes()]
