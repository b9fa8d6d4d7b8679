"""Codes of offers over HTTP: made, given, checked and redeemed by tills, taken back."""

import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.decide.offers.pricing import Rules, basket_from
from regulars.govern.audit.service import anchor
from regulars.reach.coupons.leakage.service import Leakage, leakage
from regulars.reach.coupons.redeeming import service as redeeming
from regulars.reach.coupons.redeeming.service import Quote
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.coupons.stocking import service as stocking
from regulars.reach.coupons.stocking.service import Batch

router = APIRouter()

Money = Decimal | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WantedCodes(_Strict):
    """Codes to make or import for an offer; one of `count`, `codes` and `shared`."""

    count: int = Field(default=0, ge=0, le=1_000_000)
    codes: list[str] = Field(default_factory=list, max_length=100_000)
    shared: str = Field(default="", max_length=64)
    most_uses: int | None = Field(default=None, ge=1)
    expires_at: datetime | None = None


class Gift(_Strict):
    """To whom a code is given, and what for."""

    offer_id: str
    customer_id: str = Field(min_length=1)
    key: str = Field(min_length=1, max_length=200)


class BasketLine(_Strict):
    """One line of an order."""

    line_id: str
    product_id: str
    amount: Money
    category: str = ""
    cost: Money | None = None


class WrittenBasket(_Strict):
    """An order somebody is about to pay for."""

    order_id: str
    lines: list[BasketLine]
    customer_id: str = ""
    store_id: str = ""
    sales_channel: str = ""
    shipping: Money = Decimal(0)


class Asked(_Strict):
    """An order and the codes a customer brings."""

    basket: WrittenBasket
    codes: list[str] = Field(min_length=1, max_length=8)


class Redeeming(Asked):
    """The same, to be used; `key` names the call, `expected` the discount that was shown."""

    key: str = Field(min_length=1, max_length=200)
    expected: Money | None = None


class Reversal(_Strict):
    """A redemption to take back."""

    key: str = Field(min_length=1, max_length=200)
    reverse_key: str = Field(min_length=1, max_length=200)


class Voiding(_Strict):
    """Why a code is worthless from now on."""

    code: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=1, max_length=500)


@router.get("/api/reach/coupons", tags=["reach"])
def read_counts(request: Request) -> dict[str, dict[str, int]]:
    """Codes by offer and state."""
    return stocking.count_by_state(request.state.caller.workspace.state)


@router.get("/api/reach/coupons/batches", tags=["reach"])
def read_batches(request: Request) -> list[Batch]:
    """The batches of codes, the first first."""
    return stocking.batches(request.state.caller.workspace.state)


@router.get("/api/reach/coupons/leakage", tags=["reach"])
def read_leakage(request: Request, *, days: int = 90) -> Leakage:
    """Codes used against the rules with the rows behind, and discounts a holdout calls needless."""
    caller = request.state.caller
    since = caller.now - timedelta(days=min(max(days, 1), 3_660))
    with caller.workspace.reading() as engine:
        return leakage(caller.workspace.state, since=since, now=caller.now, reader=engine)


@router.get("/api/reach/coupons/offers/{offer_id}", tags=["reach"])
def read_codes(
    request: Request, offer_id: str, *, state: str = "", most: int = 100
) -> list[dict[str, Any]]:
    """Codes of one offer, those that changed last first."""
    found = request.state.caller.workspace.state
    return stocking.list_codes(found, offer_id, of=state, most=min(max(most, 1), 1_000))


@router.post("/api/reach/coupons/offers/{offer_id}", tags=["reach"])
def make_codes(request: Request, offer_id: str, wanted: WantedCodes) -> Batch:
    """Make codes for an offer, import them, or make one everybody may use."""
    caller = request.state.caller
    state = caller.workspace.state
    about: dict[str, Any] = {
        "actor": caller.actor,
        "now": caller.now,
        "expires_at": wanted.expires_at,
    }
    if wanted.shared:
        made = stocking.share_code(
            state, offer_id, wanted.shared, most_uses=wanted.most_uses, **about
        )
    elif wanted.codes:
        made = stocking.import_codes(state, offer_id, wanted.codes, **about)
    else:
        secret = secrets.token_bytes(32)
        made = stocking.generate(state, offer_id, wanted.count, secret=secret, **about)
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return made


@router.post("/api/reach/coupons/issue", tags=["reach"])
def give_code(request: Request, given: Gift) -> dict[str, str]:
    """Give one customer a code; the same key gives the same code again."""
    caller = request.state.caller
    with caller.workspace.state.sharing() as opened:
        code = issue_coupon(opened, given.offer_id, given.customer_id, given.key, caller.now)
    return {"code": code}


@router.post("/api/reach/coupons/check", tags=["reach"])
def check_codes(request: Request, asked: Asked) -> Quote:
    """Say what an order would come to with codes; nothing is used."""
    caller = request.state.caller
    return redeeming.check(
        caller.workspace.state,
        basket_from(asked.basket.model_dump()),
        asked.codes,
        now=caller.now,
        rules=Rules.of(caller.workspace.settings.orders),
    )


@router.post("/api/reach/coupons/redeem", tags=["reach"])
def redeem_codes(request: Request, asked: Redeeming) -> Quote:
    """Use codes on an order, all of them or none; the same key gives the same answer again."""
    caller = request.state.caller
    return redeeming.redeem(
        caller.workspace.state,
        basket_from(asked.basket.model_dump()),
        asked.codes,
        key=asked.key,
        now=caller.now,
        rules=Rules.of(caller.workspace.settings.orders),
        expected=None if asked.expected is None else Decimal(asked.expected),
    )


@router.post("/api/reach/coupons/reverse", tags=["reach"])
def reverse_redemption(request: Request, asked: Reversal) -> dict[str, bool]:
    """Take a redemption back, as when the order is returned; false when it was before."""
    caller = request.state.caller
    state = caller.workspace.state
    done = redeeming.reverse(state, asked.key, reverse_key=asked.reverse_key, now=caller.now)
    return {"reversed": done}


@router.post("/api/reach/coupons/void", tags=["reach"])
def void_code(request: Request, asked: Voiding) -> dict[str, str]:
    """Make a code worthless."""
    caller = request.state.caller
    workspace = caller.workspace
    stocking.void_code(
        workspace.state, asked.code, reason=asked.reason, actor=caller.actor, now=caller.now
    )
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return {"code": asked.code, "state": "void"}
