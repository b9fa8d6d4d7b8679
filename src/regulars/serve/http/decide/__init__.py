"""HTTP of decide: what was decided for a customer, decisions made now (`online`), the budget."""

from fastapi import APIRouter

from regulars.serve.http.decide import budget, channels, history, policies
from regulars.serve.http.decide.history import decisions

router = APIRouter()
for _part in (history, budget, channels, policies):
    router.routes.extend(_part.router.routes)

__all__ = ["decisions", "router"]
