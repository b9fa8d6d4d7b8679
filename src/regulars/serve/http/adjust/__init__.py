"""HTTP of adjust: what was changed and learned (`changes`), and which models serve (`models`)."""

from fastapi import APIRouter

from regulars.serve.http.adjust import changes, models
from regulars.serve.http.adjust.changes import Said, say_of

router = APIRouter()
router.routes.extend(changes.router.routes)
router.routes.extend(models.router.routes)

__all__ = ["Said", "router", "say_of"]
