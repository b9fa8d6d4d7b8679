"""Copy review over HTTP: check texts, keep evidence and names, decide about findings."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import InputError
from regulars.govern.audit.service import anchor
from regulars.govern.copycheck import CatalogueName, Copy, Evidence
from regulars.govern.copycheck.kept import service as kept
from regulars.govern.copycheck.kept.decisions import Decision
from regulars.govern.copycheck.rulebook.loading import require_known
from regulars.govern.copycheck.service import known_in, review
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Proof(BaseModel):
    """A piece of evidence as somebody hands it in."""

    model_config = ConfigDict(extra="forbid")

    evidence_id: str = Field(min_length=1, max_length=64)
    kind: str = Field(min_length=1, max_length=64)
    claim: str = Field(min_length=1, max_length=500)
    source: str = Field(default="", max_length=500)
    institution: str = Field(default="", max_length=200)
    period: str = Field(default="", max_length=100)
    scope: str = Field(default="", max_length=500)
    valid_to: date | None = None
    product: str = Field(default="", max_length=128)
    url: str = Field(default="", max_length=1000)
    offsets_used: bool = False


class Name(BaseModel):
    """A name of the catalogue."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    kind: str = Field(default="brand", max_length=32)
    record: str = Field(default="", max_length=64)


class About(BaseModel):
    """What is known of the texts beside their words."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(default="", max_length=32)
    category: str = Field(default="", max_length=64)
    product: str = Field(default="", max_length=128)
    market: str = Field(default="cn", max_length=8)
    is_marketing: bool = True
    is_machine_made: bool = False
    as_of: date | None = None


class Texts(About):
    """Texts to be checked."""

    texts: list[str] = Field(min_length=1, max_length=1000)
    evidence: list[Proof] = Field(default_factory=list, max_length=1000)
    names: list[Name] = Field(default_factory=list, max_length=1000)


class Decided(About):
    """A decision about one finding of one text."""

    text: str = Field(min_length=1, max_length=20_000)
    rule: str
    span: tuple[int, int]
    verdict: Literal["allow", "refuse"]
    reason: str = Field(min_length=1, max_length=1000)


class Kept(BaseModel):
    """Evidence and names to be kept."""

    model_config = ConfigDict(extra="forbid")

    evidence: list[Proof] = Field(default_factory=list, max_length=1000)
    names: list[Name] = Field(default_factory=list, max_length=1000)


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        findings: What stands, by text (line, from 1) and place.
        blocked: Lines that may not go out.
        note: That this is no legal advice.
    """

    findings: list[dict[str, Any]]
    blocked: list[int]
    note: str = "A check of wording, not legal advice."


@dataclass(frozen=True)
class OnFile:
    """What copy may rely on.

    Attributes:
        evidence: Evidence, by id.
        names: Names of the catalogue.
    """

    evidence: list[Evidence]
    names: list[CatalogueName]


@router.post("/api/govern/copycheck", tags=["govern"])
def check_texts(request: Request, given: Texts) -> Checked:
    """Find what texts may not say; nothing is kept."""
    caller: Caller = request.state.caller
    require_known(channel=given.channel, category=given.category, market=given.market)
    known = known_in(caller.workspace.state)
    found = review(
        [_copy(given, text, line) for line, text in enumerate(given.texts, 1)],
        as_of=given.as_of or _today(caller),
        evidence=(*map(_evidence, given.evidence), *known.evidence),
        catalogue=(*map(_name, given.names), *known.names),
        decisions=known.decisions,
    )
    blocked = sorted({one.line for one in found if one.severity.blocks})
    return Checked([one.as_json() for one in found], blocked)


@router.get("/api/govern/copycheck/evidence", tags=["govern"])
def read_evidence(request: Request) -> OnFile:
    """Evidence and names copy may rely on."""
    known = known_in(request.state.caller.workspace.state)
    return OnFile(list(known.evidence), list(known.names))


@router.post("/api/govern/copycheck/evidence", tags=["govern"])
def keep(request: Request, given: Kept) -> OnFile:
    """Keep evidence and names; an id or name there is already is replaced."""
    caller: Caller = request.state.caller
    state, actor, now = caller.workspace.state, caller.actor, caller.now
    for one in given.evidence:
        require_known(kind_of_evidence=one.kind)
    kept.keep_evidence(state, list(map(_evidence, given.evidence)), actor=actor, now=now)
    kept.keep_names(state, list(map(_name, given.names)), actor=actor, now=now)
    anchor(state, folder=caller.workspace.folder, at=now)
    return read_evidence(request)


@router.get("/api/govern/copycheck/decisions", tags=["govern"])
def read_decisions(request: Request) -> list[Decision]:
    """Every decision about a finding, the newest first."""
    return kept.kept_decisions(request.state.caller.workspace.state)


@router.post("/api/govern/copycheck/decisions", tags=["govern"])
def decide(request: Request, given: Decided) -> Decision:
    """Decide about one finding; it counts for exactly these words, product, evidence and rule."""
    caller: Caller = request.state.caller
    state = caller.workspace.state
    known = known_in(state)
    found = review(
        [_copy(given, given.text, 1)],
        as_of=given.as_of or _today(caller),
        evidence=known.evidence,
        catalogue=known.names,
    )
    meant = [one for one in found if one.rule == given.rule and one.span == given.span]
    if not meant:
        there = ", ".join(f"{one.rule} at {one.span[0]}-{one.span[1]}" for one in found) or "none"
        raise InputError(f"no finding of {given.rule} at {given.span}; there are: {there}")
    made = kept.decide(
        state,
        meant[0],
        verdict=given.verdict,
        reason=given.reason,
        actor=caller.actor,
        now=caller.now,
        product=given.product,
    )
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return made


def _copy(given: About, text: str, line: int) -> Copy:
    if len(text) > 20_000:
        raise InputError(f"text {line} has {len(text)} characters, must have at most 20,000")
    about = given.model_dump(
        include={"channel", "category", "product", "market", "is_marketing", "is_machine_made"}
    )
    return Copy(text, line, **about)


def _evidence(one: Proof) -> Evidence:
    return Evidence(**one.model_dump())


def _name(one: Name) -> CatalogueName:
    return CatalogueName(**one.model_dump())


def _today(caller: Caller) -> date:
    return caller.now.astimezone(ZoneInfo(caller.workspace.settings.retailer.zone)).date()
