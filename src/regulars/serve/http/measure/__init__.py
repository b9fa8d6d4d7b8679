"""HTTP of measure: what contacts caused, experiments, and how the shop is doing."""

from fastapi import APIRouter

from regulars.serve.http.measure import (
    attribution,
    caused,
    experiments,
    kept,
    report,
    scorecard,
)
from regulars.serve.http.measure.caused import (
    Campaign,
    TurnEffect,
    campaign,
    campaign_effects,
    campaigns,
    decided_turns,
    programme,
    turn_effects,
)

router = APIRouter()
router.routes.extend(caused.router.routes)
router.routes.extend(experiments.router.routes)
router.routes.extend(kept.router.routes)
router.routes.extend(scorecard.router.routes)
router.routes.extend(report.router.routes)
router.routes.extend(attribution.router.routes)

__all__ = [
    "Campaign",
    "TurnEffect",
    "campaign",
    "campaign_effects",
    "campaigns",
    "decided_turns",
    "programme",
    "router",
    "turn_effects",
]
