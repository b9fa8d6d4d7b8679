"""HTTP of decide: what was decided for a customer, and (`online`) decisions made now."""

from fastapi import APIRouter

from regulars.serve.http.decide import history
from regulars.serve.http.decide.history import decisions

router = APIRouter()
router.routes.extend(history.router.routes)

__all__ = ["decisions", "router"]
