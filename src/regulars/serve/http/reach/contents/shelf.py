"""The shelf of contents over HTTP: found by facet and review state, and what is missing."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.audit.service import anchor
from regulars.reach.content.shelf.service import INTEREST, TAG, Wanted, matrix, search, set_facets

router = APIRouter()


@dataclass(frozen=True)
class Found:
    """One content of the shelf.

    Attributes:
        name: id@version of the newest version.
        channel: Channel it is written for.
        locales: Languages it is written in.
        tags: Words people gave it.
        interests: What customers it is for are interested in.
        review: draft, in_review, approved or sent_back.
    """

    name: str
    channel: str
    locales: list[str]
    tags: list[str]
    interests: list[str]
    review: str


@dataclass(frozen=True)
class MatrixCell:
    """What there is for one interest on one channel.

    Attributes:
        interest: The interest.
        channel: The channel.
        contents: Ids of contents, in order.
        is_gap: True when nothing approved is among them.
    """

    interest: str
    channel: str
    contents: list[str]
    is_gap: bool


class WrittenFacets(BaseModel):
    """What a content is found by; a part left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    tags: list[str] | None = Field(default=None, max_length=50)
    interests: list[str] | None = Field(default=None, max_length=50)


@router.get("/api/reach/shelf", tags=["reach"])
def find_contents(  # noqa: PLR0913 - one parameter a facet, as the address has them
    request: Request,
    text: str = "",
    channel: str = "",
    locale: str = "",
    tag: str = "",
    interest: str = "",
    review: str = "",
) -> list[Found]:
    """Contents in their newest version, by id; an empty part means any."""
    wanted = Wanted(text, channel, locale, tag, interest, review)
    return [
        Found(
            one.kept.content.name,
            one.kept.content.channel,
            sorted(one.kept.content.variants),
            list(one.tags),
            list(one.interests),
            one.review,
        )
        for one in search(request.state.caller.workspace.state, wanted)
    ]


@router.get("/api/reach/shelf/matrix", tags=["reach"])
def read_matrix(request: Request) -> list[MatrixCell]:
    """Which interest has which content by channel, and where nothing is approved."""
    workspace = request.state.caller.workspace
    found = matrix(workspace.state, channels=list(workspace.settings.channels))
    return [
        MatrixCell(
            row,
            column,
            [one.id for one in found.items.get((row, column), [])],
            (row, column) in found.gaps,
        )
        for row in found.interests
        for column in found.channels
    ]


@router.put("/api/reach/shelf/{name}", tags=["reach"])
def keep_facets(request: Request, name: str, written: WrittenFacets) -> dict[str, str]:
    """Say what tags and interests a content has; what it had before is replaced."""
    caller = request.state.caller
    workspace = caller.workspace
    for kind, words in ((TAG, written.tags), (INTEREST, written.interests)):
        if words is not None:
            set_facets(workspace.state, name, kind, words, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"name": name}
