"""HTTP of understand: which groups customers form, and what they are worth."""

from fastapi import APIRouter

from regulars.serve.http.understand import segments, worth

router = APIRouter()
for _part in (worth, segments):
    router.routes.extend(_part.router.routes)

__all__ = ["router"]
