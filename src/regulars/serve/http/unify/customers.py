"""Customers: found by id, name or phone, masked until somebody with the right uncovers them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
from fastapi import APIRouter, Request
from ibis import _
from ibis.expr.types import Table
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import UnknownName
from regulars.govern.audit.service import anchor, record
from regulars.govern.masking import mask_email, mask_id, mask_name, mask_phone, phone_digits
from regulars.govern.protection.service import Looking, Protector
from regulars.govern.protection.tokens import is_token
from regulars.ports.engine import Reader
from regulars.records import TABLES
from regulars.records.identifiers import EMAIL, PHONE
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.timeline import Happening, timeline
from regulars.unify.identity.graph import Node
from regulars.unify.identity.service import members

router = APIRouter()
PAGE_SIZE = 25
SORTS = ("value", "spend", "recency", "customer_id")
MASKS = {"name": mask_name, "phone": mask_phone, "email": mask_email, "wechat_id": mask_id}
TAGS = (
    "gender",
    "age_group",
    "city",
    "income_group",
    "household_size",
    "kids_count",
    "marital_status",
    "home_ownership",
    "province",
    "member_level",
    "language",
    "device_platform",
    "acquisition_source",
)
_NOT_INDICATORS = {"turn", "customer_id", "as_of", *TAGS}
INDICATORS = tuple(n for n in TABLES["profiles"].names if n not in _NOT_INDICATORS)


@dataclass(frozen=True)
class CustomerRow:
    """One customer in a list; name and phone are masked.

    Attributes:
        customer_id: The retailer's own id.
        name: First character only.
        phone: Last digits only.
        city: Where they live.
        orders: Orders so far; None before the first turn.
        monetary: Paid so far.
        recency_days: Days since the last order.
        residual_value: Margin expected in the next 52 weeks.
        segment: RFM segment.
    """

    customer_id: str
    name: str | None
    phone: str | None
    city: str | None
    orders: int | None
    monetary: Decimal | None
    recency_days: int | None
    residual_value: float | None
    segment: str | None


@dataclass(frozen=True)
class CustomerPage:
    """One page of a list of customers.

    Attributes:
        rows: The customers on the page.
        total: Customers found.
        page: 1 for the first page.
        pages: Pages there are, at least 1.
        sort: What they are sorted by.
    """

    rows: list[CustomerRow]
    total: int
    page: int
    pages: int
    sort: str


@dataclass(frozen=True)
class CustomerProfile:
    """Who one customer is.

    Attributes:
        customer_id: The retailer's own id.
        contact_data: Name, phone, e-mail and WeChat id; masked unless uncovered.
        is_masked: False when the contact data is clear.
        joined_on: First day as a member.
        tags: Static tags by name; only those known.
        as_of: Last day the indicators look at; None before the first turn.
        indicators: Behavioural indicators by name.
    """

    customer_id: str
    contact_data: dict[str, str]
    is_masked: bool
    joined_on: date | None
    tags: dict[str, str]
    as_of: date | None
    indicators: dict[str, str | int | float | Decimal | None]


class Search(BaseModel):
    """A search for customers. It travels in the body: phone numbers do not belong in URLs."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=100)
    sort: str = "value"
    page: int = Field(default=1, ge=1, le=1_000_000)


def find_customers(
    engine: Reader,
    *,
    text: str = "",
    sort: str = "value",
    page: int = 1,
    protector: Protector | None = None,
) -> CustomerPage:
    """Find customers by id, name or phone.

    A name must be given whole, a phone number whole or by its last four digits: anything
    looser would let somebody who sees masked data guess the rest letter by letter.

    Args:
        engine: The engine.
        text: Part of an id, a name, a phone number; empty finds everybody.
        sort: value, spend, recency or customer_id.
        page: 1 for the first page; beyond the last gives the last.
        protector: Knows the tokens tables hold in place of phone numbers.

    Returns:
        The page, contact data masked.
    """
    known = _known(engine)
    if text.strip():
        known = known.filter(_matches(known, text.strip(), protector))
    [counted] = engine.rows(known.agg(total=_.count()))
    total = counted["total"]
    pages = max(1, -(-total // PAGE_SIZE))
    page, sort = min(max(page, 1), pages), sort if sort in SORTS else SORTS[0]
    order = {
        "value": [_.residual_value.desc(nulls_first=False), _.customer_id],
        "spend": [_.monetary.desc(nulls_first=False), _.customer_id],
        "recency": [_.recency_days.asc(nulls_first=False), _.customer_id],
        "customer_id": [_.customer_id],
    }[sort]
    rows = engine.rows(
        known.order_by(order).limit(PAGE_SIZE, offset=(page - 1) * PAGE_SIZE).drop("digits")
    )
    covered = _covered(protector, (row["phone"] for row in rows))
    shown = [CustomerRow(**_masked(row, covered)) for row in rows]
    return CustomerPage(shown, total, page, pages, sort)


def customer_profile(
    engine: Reader,
    customer_id: str,
    *,
    is_masked: bool,
    protector: Protector | None = None,
    met: Sequence[Node] = (),
) -> CustomerProfile:
    """Tell who one customer is.

    Args:
        engine: The engine.
        customer_id: The retailer's own id.
        is_masked: True to cover contact data; False gives it as the table holds it, tokens
            included.
        protector: Knows the masked form of tokens.
        met: Identifiers of the customer that events told: where no file says a phone number or
            an e-mail address, the one met last is theirs.

    Returns:
        The profile as of the last turn; somebody only events tell of has none.

    Raises:
        UnknownName: Nobody has this id.
    """
    mine = _.customer_id == customer_id
    profiles = engine.table("profiles").filter(mine)
    rows = engine.rows(profiles.order_by(_.turn.desc()).limit(1))
    facts = engine.rows(engine.table("customers").filter(mine).limit(1))
    if not rows and not facts and not met:
        bought = engine.rows(engine.table("orders").filter(mine).select("customer_id").limit(1))
        if not bought:
            raise UnknownName("customer", customer_id, [])
    profile, fact = (rows or [{}])[0], (facts or [{}])[0]
    held = _told_by_events(met) | {name: fact[name] for name in MASKS if fact.get(name)}
    shown = _masked(held, _covered(protector, held.values())) if is_masked else held
    return CustomerProfile(
        customer_id,
        shown,
        is_masked,
        fact.get("joined_on"),
        {n: str(v) for n in TAGS if (v := profile.get(n) or fact.get(n)) is not None},
        profile.get("as_of"),
        {name: profile[name] for name in INDICATORS} if profile else {},
    )


def _told_by_events(met: Sequence[Node]) -> dict[str, str]:
    """Give the phone number and the e-mail address met last, as tokens."""
    last = sorted(met, key=lambda one: (one.last_seen, one.ordinal))
    return {one.namespace: one.value for one in last if one.namespace in {PHONE, EMAIL}}


def uncovered(caller: Caller, found: CustomerProfile) -> CustomerProfile:
    """Give a profile with clear contact data, once the look is in the audit log.

    Args:
        caller: Who looks.
        found: The profile as the table holds it.

    Returns:
        The profile; what was shredded is left out.

    Raises:
        NotAllowed: The caller's role may not see clear values.
    """
    tokens = sorted(filter(is_token, found.contact_data.values()))
    if not tokens or caller.role is None:
        note_reveal(caller, found.customer_id)
        return found
    workspace = caller.workspace
    looking = Looking(caller.actor, caller.role, found.customer_id, caller.now)
    clear = workspace.protector.reveal(workspace.state, tokens, looking)
    kept = {
        n: clear.get(v, v) for n, v in found.contact_data.items() if v not in tokens or v in clear
    }
    return replace(found, contact_data=kept)


def note_reveal(caller: Caller, customer_id: str) -> None:
    """Record that somebody uncovers a customer's contact data, before they see it."""
    workspace = caller.workspace
    with workspace.state.transaction() as transaction:
        record(
            transaction,
            actor=caller.actor,
            action="customer.reveal",
            subject=customer_id,
            detail={},
            at=caller.now,
        )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)


def _known(engine: Reader) -> Table:
    """Everybody known: one row per customer, with profile and value once a turn was run."""
    profiles, facts = engine.table("profiles"), engine.table("customers")
    facts = facts.select("customer_id", "name", "phone", "city").mutate(
        digits=ibis.cases(
            (_.phone.startswith("tok_"), ibis.null("string")),
            else_=_.phone.re_replace(r"\D", ""),
        )
    )
    facts = facts.distinct(on="customer_id")
    newest = profiles.filter(_.turn == profiles.turn.max()).select(
        "customer_id", "orders", "monetary", "recency_days"
    )
    values, scores = engine.table("customer_values"), engine.table("rfm_scores")
    values = values.filter(_.turn == values.turn.max()).select("customer_id", "residual_value")
    scores = scores.filter(_.turn == scores.turn.max()).select("customer_id", "segment")
    ids = facts.select("customer_id").union(newest.select("customer_id"), distinct=True)
    joined = ids
    for part in (facts, newest, values, scores):
        joined = joined.left_join(part, "customer_id").drop("customer_id_right")
    return joined


def _matches(known: Table, text: str, protector: Protector | None) -> Any:
    digits = phone_digits(text)
    found = known.customer_id.lower().contains(text.lower()) | (known.name == text)
    if len(digits) >= 8:
        found |= known.digits.isin([digits, f"86{digits}"])
        found = found | (known.phone == protector.token("phone", text)) if protector else found
    elif len(digits) == 4 and digits == text:
        found |= known.digits.right(4) == digits
        tokens = protector.ending("phone", digits) if protector else []
        found = found | known.phone.isin(tokens) if tokens else found
    return found


def _covered(protector: Protector | None, values: Iterable[str | None]) -> dict[str, str]:
    tokens = [value for value in values if value and is_token(value)]
    return protector.masked(tokens) if protector and tokens else {}


def _masked(row: Mapping[str, Any], covered: Mapping[str, str]) -> dict[str, Any]:
    """Cover contact data; a token by its masked form, or wholly once it was shredded."""
    return {
        name: (covered.get(value, "****") if is_token(value) else MASKS[name](value))
        if name in MASKS and value is not None
        else value
        for name, value in row.items()
    }


@router.get("/api/unify/customers", tags=["unify"])
def list_customers(request: Request, sort: str = "value", page: int = 1) -> CustomerPage:
    """Everybody known, a page at a time, contact data masked."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        return find_customers(engine, sort=sort, page=page, protector=workspace.protector)


@router.post("/api/unify/customers/search", tags=["unify"])
def search_customers(request: Request, search: Search) -> CustomerPage:
    """Customers by id, name or phone, contact data masked."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        return find_customers(
            engine,
            text=search.text,
            sort=search.sort,
            page=search.page,
            protector=workspace.protector,
        )


@router.get("/api/unify/customers/{customer_id}", tags=["unify"])
def read_customer(request: Request, customer_id: str) -> CustomerProfile:
    """One customer's profile, contact data masked."""
    workspace = request.state.caller.workspace
    with workspace.reading() as engine:
        return customer_profile(
            engine,
            customer_id,
            is_masked=True,
            protector=workspace.protector,
            met=members(workspace.state, customer_id),
        )


@router.post("/api/unify/customers/{customer_id}/reveal", tags=["unify"])
def reveal_customer(request: Request, customer_id: str) -> CustomerProfile:
    """One customer's profile, contact data clear; the look is recorded in the audit log."""
    workspace = request.state.caller.workspace
    met = members(workspace.state, customer_id)
    with workspace.reading() as engine:
        found = customer_profile(engine, customer_id, is_masked=False, met=met)
    return uncovered(request.state.caller, found)


@router.get("/api/unify/customers/{customer_id}/timeline", tags=["unify"])
def read_timeline(request: Request, customer_id: str) -> list[Happening]:
    """What happened to and through one customer, online and offline, the newest first."""
    workspace = request.state.caller.workspace
    identifiers = members(workspace.state, customer_id)
    with workspace.reading() as engine:
        return timeline(engine, customer_id, identifiers=identifiers)
