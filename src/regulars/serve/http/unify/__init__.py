"""HTTP of unify: who the customers are."""

from fastapi import APIRouter

from regulars.serve.http.unify import customers

router = APIRouter()
for _part in (customers,):
    router.routes.extend(_part.router.routes)

__all__ = ["router"]
