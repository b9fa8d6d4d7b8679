"""HTTP of reach: campaigns, contacts, triggers, and what became of everybody."""

from fastapi import APIRouter

from regulars.serve.http.reach import (
    campaigns,
    contacts,
    contents,
    coupons,
    fates,
    journeys,
    onsite,
    points,
    surveys,
    triggers,
    trying,
)
from regulars.serve.http.reach.fates import FATES, FateCount, Ledger, ledger

router = APIRouter()
for _part in (
    fates,
    campaigns,
    journeys,
    trying,
    contacts,
    contents,
    surveys,
    onsite,
    coupons,
    points,
):
    router.routes.extend(_part.router.routes)

# Apart, because they are asked hundreds of times a second: whoever serves them tries them first.
HOT_ROUTES = triggers.router.routes

__all__ = ["FATES", "HOT_ROUTES", "FateCount", "Ledger", "ledger", "router"]
