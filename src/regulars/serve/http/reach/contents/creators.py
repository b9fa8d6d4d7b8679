"""Creators over HTTP: their links and codes, and what is due to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.audit.service import anchor
from regulars.reach.links.creators import service
from regulars.reach.links.creators.service import Creator, Payout
from regulars.serve.http.door.guard import Caller

router = APIRouter()


@dataclass(frozen=True)
class CreatorRow:
    """A creator and the link.

    Attributes:
        creator: Who.
        url: The page the link leads to, with its marks.
        link: The link, whose clicks are counted; the page itself where the server has no
            address of its own.
    """

    creator: Creator
    url: str
    link: str


class WrittenCreator(BaseModel):
    """A creator as somebody writes one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=64)
    target: str = Field(min_length=1, max_length=2_000)
    platform: str = Field(min_length=1, max_length=64)
    kind: str = "koc"
    share: Decimal = Field(default=Decimal(0), ge=0, le=1, decimal_places=4)
    offer_id: str = ""


@router.get("/api/reach/creators", tags=["reach"])
def read_creators(request: Request) -> list[CreatorRow]:
    """The creators, by id, each with the link."""
    return _rows(request.state.caller, service.creators(request.state.caller.workspace.state))


@router.put("/api/reach/creators/{creator_id}", tags=["reach"])
def keep_creator(request: Request, creator_id: str, written: WrittenCreator) -> CreatorRow:
    """Keep a creator; the code and its offer cannot be changed later."""
    caller = request.state.caller
    workspace = caller.workspace
    made = Creator(
        creator_id,
        written.name,
        written.kind,
        written.platform,
        written.code,
        written.target,
        written.share,
        written.offer_id,
    )
    service.put_creator(workspace.state, made, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return _rows(caller, [made])[0]


def _rows(caller: Caller, made: Sequence[Creator]) -> list[CreatorRow]:
    workspace = caller.workspace
    links = service.creator_links(workspace.state, workspace.links, made, now=caller.now)
    return [CreatorRow(one, one.url, links[one.creator_id]) for one in made]


@router.get("/api/reach/creators/payouts", tags=["reach"])
def read_payouts(
    request: Request,
    days: int = Query(default=30, ge=1, le=3_660),
    hold: int = Query(default=7, ge=0, le=365),
) -> list[Payout]:
    """What each creator brought in so many days and what is due, the last `hold` days left out."""
    caller = request.state.caller
    until = caller.now - timedelta(days=hold)
    since = until - timedelta(days=days)
    return service.payouts(caller.workspace.state, since=since, until=until)
