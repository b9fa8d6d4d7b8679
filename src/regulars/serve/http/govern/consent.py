"""Consent over HTTP: what a customer allows, words noted and imported, notices, the proof."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from regulars.govern.audit.service import anchor
from regulars.govern.consent.choices.confirming.service import ask
from regulars.govern.consent.declared import Purpose, Topic, read_declared
from regulars.govern.consent.importing.service import Reading, WordImport, import_words
from regulars.govern.consent.notices import read_notice
from regulars.govern.consent.notices.service import Published, notices, publish
from regulars.govern.consent.proof.service import Proof, prove
from regulars.govern.consent.service import CustomerConsent, set_consent, show
from regulars.govern.consent.word import Word
from regulars.reach.links.tokens import Purpose as LinkPurpose
from regulars.serve.http.door.guard import Caller

router = APIRouter()
SOURCE = "api"


class Said(BaseModel):
    """A word as another system says it."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = "marketing"
    channel: str = "*"
    topic: str = "*"
    status: str
    recorded_at: datetime | None = None
    notice_version: str = Field(default="", max_length=40)
    source: str = Field(default=SOURCE, max_length=60)
    evidence: str = Field(default="", max_length=2000)
    locale: str = Field(default="", max_length=10)
    guardian: str = Field(default="", max_length=2000)


class Told(BaseModel):
    """A notice as it is published."""

    model_config = ConfigDict(extra="forbid")

    version: str
    effective_from: datetime
    purposes: list[str]
    asks_again: list[str] | None = None
    zh: str
    en: str


@dataclass(frozen=True)
class Offered:
    """What consent can be asked for here.

    Attributes:
        purposes: The purposes.
        topics: What messages can be about.
    """

    purposes: list[Purpose]
    topics: list[Topic]


@dataclass(frozen=True)
class Asked:
    """A grant that waits for its answer.

    Attributes:
        word_id: Hash of the grant.
        url: Address of the page with the button; put it into the message that asks.
    """

    word_id: str
    url: str


@dataclass(frozen=True)
class Noted:
    """What came of a word.

    Attributes:
        added: Rows added to the ledger; 0 for a word noted before.
        consent: What the customer allows now.
    """

    added: int
    consent: CustomerConsent


@router.get("/api/govern/purposes", tags=["govern"])
def read_purposes(request: Request) -> Offered:
    """Purposes and topics consent can be asked for, in both languages."""
    found = read_declared(request.state.caller.workspace.folder)
    return Offered(list(found.purposes.values()), list(found.topics.values()))


@router.get("/api/govern/notices", tags=["govern"])
def read_notices(request: Request) -> list[Published]:
    """Every notice published, the newest first."""
    return notices(request.state.caller.workspace.state)


@router.post("/api/govern/notices", tags=["govern"])
def publish_notice(request: Request, told: Told) -> Published:
    """Publish a notice; purposes it asks again for end the grants of earlier notices."""
    caller: Caller = request.state.caller
    given: dict[str, Any] = told.model_dump(exclude_none=True)
    found = publish(
        caller.workspace.state,
        read_notice(given),
        actor=caller.actor,
        now=caller.now,
        declared=read_declared(caller.workspace.folder),
    )
    _anchor(caller)
    return found


@router.post("/api/govern/consent/import", tags=["govern"])
async def import_consent(request: Request, file: str = "api") -> WordImport:
    """Note every word of a list in the body, CSV or JSON; bad rows come back with reasons."""
    data = await request.body()
    return await run_in_threadpool(_import, request.state.caller, data, file[:200])


@router.get("/api/govern/consent/{customer_id}", tags=["govern"])
def read_consent(request: Request, customer_id: str) -> CustomerConsent:
    """What a customer allows, and every word that led there."""
    caller: Caller = request.state.caller
    return show(caller.workspace.state, customer_id, now=caller.now)


@router.post("/api/govern/consent/{customer_id}", tags=["govern"])
def note_consent(request: Request, customer_id: str, said: Said) -> Noted:
    """Note what a customer said; the next contact goes by it."""
    caller: Caller = request.state.caller
    word = _word(customer_id, said, caller)
    state = caller.workspace.state
    declared = read_declared(caller.workspace.folder)
    added = set_consent(state, word, actor=caller.actor, now=caller.now, declared=declared)
    _anchor(caller)
    return Noted(added, show(state, customer_id, now=caller.now))


@router.post("/api/govern/consent/{customer_id}/ask", tags=["govern"])
def ask_consent(request: Request, customer_id: str, said: Said) -> Asked:
    """Keep a grant waiting until its address answers (double opt-in); it allows nothing yet."""
    caller: Caller = request.state.caller
    workspace = caller.workspace
    word_id = ask(
        workspace.state,
        _word(customer_id, said, caller),
        now=caller.now,
        declared=read_declared(workspace.folder),
    )
    token = workspace.links.signer.seal(LinkPurpose.CONFIRM, word_id)
    return Asked(word_id, f"{workspace.links.base_url}/c/{token}")


@router.get("/api/govern/consent/{customer_id}/proof", tags=["govern"])
def read_proof(request: Request, customer_id: str) -> Proof:
    """Everything that proves a customer's consent, with a digest that shows any change."""
    caller: Caller = request.state.caller
    return prove(caller.workspace.state, customer_id, now=caller.now)


def _word(customer_id: str, said: Said, caller: Caller) -> Word:
    return Word(
        customer_id,
        said.purpose,
        said.status,
        said.recorded_at or caller.now,
        channel=said.channel,
        topic=said.topic,
        notice_version=said.notice_version,
        source=said.source,
        evidence=said.evidence,
        locale=said.locale,
        guardian=said.guardian,
    )


def _import(caller: Caller, data: bytes, file: str) -> WordImport:
    workspace = caller.workspace
    zone, declared = workspace.settings.retailer.zone, read_declared(workspace.folder)
    found = import_words(
        workspace.state,
        data,
        reading=Reading(file, zone, declared),
        actor=caller.actor,
        now=caller.now,
    )
    _anchor(caller)
    return found


def _anchor(caller: Caller) -> None:
    anchor(caller.workspace.state, folder=caller.workspace.folder, at=caller.now)
