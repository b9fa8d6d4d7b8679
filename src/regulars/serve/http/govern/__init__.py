"""HTTP of govern: who did what, what customers allow, and who may not be contacted."""

from fastapi import APIRouter

from regulars.serve.http.govern import audit, consent, suppression
from regulars.serve.http.govern.audit import audit_state

router = APIRouter()
for _part in (audit, consent, suppression):
    router.routes.extend(_part.router.routes)

__all__ = ["audit_state", "router"]
