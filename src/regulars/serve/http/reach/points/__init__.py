"""Points over HTTP: the ledger, the programme, and what customers do for points and with them."""

from fastapi import APIRouter

from regulars.serve.http.reach.points import ledger, spending
from regulars.serve.http.reach.points.ledger import simulated

router = APIRouter()
for _part in (ledger, spending):
    router.routes.extend(_part.router.routes)

__all__ = ["router", "simulated"]
