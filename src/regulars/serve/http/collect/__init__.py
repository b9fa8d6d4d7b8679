"""HTTP of collect: what came in and what was held back."""

from fastapi import APIRouter

from regulars.serve.http.collect import quality, sources, state

router = APIRouter()
for _part in (state, quality, sources):
    router.routes.extend(_part.router.routes)

__all__ = ["router"]
