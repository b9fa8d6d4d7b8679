"""Surveys and the tasks they open, over HTTP."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import InputError
from regulars.govern.audit.service import anchor
from regulars.govern.protection.redaction import redacted
from regulars.reach.surveys import service
from regulars.reach.surveys.definition import Survey, survey_from
from regulars.reach.surveys.service import Task

router = APIRouter()


@dataclass(frozen=True)
class SurveyResults:
    """What a survey found.

    Attributes:
        survey: The survey.
        score: NPS from -1 to 1, or share of satisfied answers; null before the first answer.
        low: Lower end of its interval.
        high: Upper end.
        level: Coverage of the interval.
        answers: Answers counted, each respondent's last.
        count_by_score: Answers by score.
        count_by_group: Answers by group, such as promoter.
        comments: The newest comments, phone numbers and addresses in them covered.
    """

    survey: Survey
    score: float | None
    low: float
    high: float
    level: float
    answers: int
    count_by_score: dict[int, int]
    count_by_group: dict[str, int]
    comments: list[dict[str, Any]]


class Closing(BaseModel):
    """How a task ended."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1, max_length=2_000)


class WrittenSurvey(BaseModel):
    """A survey as somebody writes it."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    service_below: int = 0
    window_hours: int = 24
    closes_at: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    locales: dict[str, dict[str, str]] = Field(default_factory=dict)


def shown(found: service.Results) -> SurveyResults:
    """Give results as they are shown: what people wrote is covered where it tells who they are."""
    score, comments = found.score, found.comments
    return SurveyResults(
        found.survey,
        score.value if score.answers else None,
        score.low,
        score.high,
        score.level,
        score.answers,
        found.count_by_score,
        found.count_by_group,
        [{**one, "comment": redacted(one["comment"])} for one in comments],
    )


@router.get("/api/reach/surveys", tags=["reach"])
def read_surveys(request: Request) -> list[Survey]:
    """The newest version of every survey."""
    return service.list_surveys(request.state.caller.workspace.state)


@router.get("/api/reach/surveys/{survey_id}", tags=["reach"])
def read_survey(request: Request, survey_id: str) -> SurveyResults:
    """What a survey found: score with its interval, counts and comments."""
    return shown(service.results(request.state.caller.workspace.state, survey_id))


@router.put("/api/reach/surveys/{survey_id}", tags=["reach"])
def keep_survey(request: Request, survey_id: str, written: WrittenSurvey) -> Survey:
    """Keep a survey, as a new one or as the next version."""
    caller = request.state.caller
    workspace = caller.workspace
    survey = survey_from(written.model_dump() | {"id": survey_id}, "survey")
    made = service.put_survey(workspace.state, survey, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return made


@router.get("/api/reach/service-tasks", tags=["reach"])
def read_tasks(request: Request, *, closed: bool = False) -> list[Task]:
    """The tasks of customer service that surveys opened, the newest first."""
    return service.tasks(request.state.caller.workspace.state, closed_too=closed)


@router.post("/api/reach/service-tasks/{task_id}/close", tags=["reach"])
def close_task(request: Request, task_id: str, closing: Closing) -> Task:
    """Close a task, with what was done for the customer."""
    caller = request.state.caller
    workspace = caller.workspace
    if not closing.note.strip():
        raise InputError("the note is empty; say what was done for the customer")
    done = service.close_task(
        workspace.state, task_id, closing.note, actor=caller.actor, now=caller.now
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return done
