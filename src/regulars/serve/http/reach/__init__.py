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
    triggers,
    contents,
    surveys,
    onsite,
    coupons,
    points,
):
    router.routes.extend(_part.router.routes)

__all__ = ["FATES", "FateCount", "Ledger", "ledger", "router"]
