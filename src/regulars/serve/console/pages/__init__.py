"""The pages: what a reader sees of each station, and what can be done there."""

from starlette.routing import Route

from regulars.serve.console.pages.adjust.learnings import LearningsPage
from regulars.serve.console.pages.adjust.models import ModelsPage
from regulars.serve.console.pages.audiences.audiences import AudiencePages
from regulars.serve.console.pages.customers.customers import CustomerPages
from regulars.serve.console.pages.customers.identity import IdentityPages
from regulars.serve.console.pages.data.data import DataPage
from regulars.serve.console.pages.data.events import EventPages
from regulars.serve.console.pages.data.plan import PlanPage
from regulars.serve.console.pages.data.quarantine import QuarantinePages
from regulars.serve.console.pages.govern.requests import RequestPages
from regulars.serve.console.pages.home.home import HomePage
from regulars.serve.console.pages.journeys.editor import EditorPages
from regulars.serve.console.pages.journeys.journeys import JourneyPages
from regulars.serve.console.pages.journeys.leading import LeadingPages
from regulars.serve.console.pages.money.budget import BudgetPage
from regulars.serve.console.pages.money.channels import ChannelsPage
from regulars.serve.console.pages.money.effects import EffectsPage
from regulars.serve.console.pages.money.experiments import ExperimentsPage
from regulars.serve.console.pages.money.policies import PoliciesPage
from regulars.serve.console.pages.money.scorecard import ScorecardPages
from regulars.serve.console.pages.money.written_experiments import WrittenExperimentPages
from regulars.serve.console.pages.reach.approvals import ApprovalPages
from regulars.serve.console.pages.reach.campaigns import CampaignPages
from regulars.serve.console.pages.reach.contents import ContentPages
from regulars.serve.console.pages.reach.copy import CopyPage
from regulars.serve.console.pages.reach.creators import CreatorsPage
from regulars.serve.console.pages.reach.delivery import DeliveryPage
from regulars.serve.console.pages.reach.loyalty import LoyaltyPage
from regulars.serve.console.pages.reach.offers import OfferPages
from regulars.serve.console.pages.reach.policy import PolicyPage
from regulars.serve.console.pages.reach.writing import WritingPages
from regulars.serve.console.pages.tags.tags import TagPages
from regulars.serve.console.rendering import Pages

KINDS = (
    HomePage,
    CustomerPages,
    IdentityPages,
    WritingPages,
    CampaignPages,
    JourneyPages,
    EditorPages,
    LeadingPages,
    ApprovalPages,
    OfferPages,
    ContentPages,
    CreatorsPage,
    DeliveryPage,
    BudgetPage,
    ChannelsPage,
    EffectsPage,
    ExperimentsPage,
    WrittenExperimentPages,
    LearningsPage,
    ModelsPage,
    PoliciesPage,
    ScorecardPages,
    LoyaltyPage,
    PolicyPage,
    RequestPages,
    CopyPage,
    DataPage,
    EventPages,
    QuarantinePages,
    PlanPage,
    TagPages,
    AudiencePages,
)


def routes(pages: Pages) -> list[Route]:
    """Give the routes of all pages.

    Args:
        pages: Makes pages of templates.

    Returns:
        The routes, in the order they are tried.
    """
    return [route for kind in KINDS for route in kind(pages).routes()]
