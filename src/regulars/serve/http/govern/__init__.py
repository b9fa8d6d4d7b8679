"""HTTP of govern: who did what, what customers allow, who may not be contacted, what copy says."""

from fastapi import APIRouter

from regulars.serve.http.govern import (
    approvals,
    audit,
    consent,
    copycheck,
    policy,
    rights,
    suppression,
)
from regulars.serve.http.govern.audit import audit_state

router = APIRouter()
for _part in (audit, consent, copycheck, suppression, approvals, policy, rights):
    router.routes.extend(_part.router.routes)

__all__ = ["audit_state", "router"]
