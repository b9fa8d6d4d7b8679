"""Draft journeys over HTTP: tried on recorded history, and begun from templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.reach.journeys.dry_run.service import DryRun
from regulars.reach.journeys.templates.catalogue import list_templates
from regulars.reach.journeys.templates.service import Checked
from regulars.serve.authoring.beginning import check_template
from regulars.serve.authoring.trying import DAYS, try_journey
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Drafted(BaseModel):
    """A draft journey and how far back to look."""

    model_config = ConfigDict(extra="forbid")

    journey: dict[str, Any]
    days: int = Field(default=DAYS, ge=1, le=3660)


@dataclass(frozen=True)
class TemplateTold:
    """A journey ready to use.

    Attributes:
        name: Its name.
        title: What people call it, by language.
        about: What it does, by language.
        offer: Whether it carries an offer: none, optional or needed.
        needs: What it rests on, and how far this workspace has it.
    """

    name: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    offer: str
    needs: Sequence[Checked]


@router.post("/api/reach/simulate", tags=["reach"])
def simulate(request: Request, draft: Drafted) -> DryRun:
    """What a draft journey would have done in the last days; nothing is written or sent."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return try_journey(app, draft.journey, now=caller.now, days=draft.days)


@router.get("/api/reach/journey-templates", tags=["reach"])
def read_templates(request: Request) -> list[TemplateTold]:
    """Journeys ready to use, and what each lacks here."""
    caller = _caller(request)
    with caller.workspace.holding() as app:
        return [
            TemplateTold(
                one.name,
                one.title,
                one.about,
                one.takes.value,
                check_template(app, one, now=caller.now),
            )
            for one in list_templates()
        ]


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
