"""Contents over HTTP: written and shown, found by facet, and the creators who speak of them."""

from fastapi import APIRouter

from regulars.serve.http.reach.contents import creators, shelf, writing

router = APIRouter()
for _part in (writing, shelf, creators):
    router.routes.extend(_part.router.routes)

__all__ = ["router"]
