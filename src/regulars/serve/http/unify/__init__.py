"""HTTP of unify: who the customers are."""

from fastapi import APIRouter

from regulars.serve.http.unify import customers, identity, profiles, tags

router = APIRouter()
for _part in (customers, identity, profiles, tags):
    router.routes.extend(_part.router.routes)

__all__ = ["router"]
