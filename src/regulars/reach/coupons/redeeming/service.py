"""Orders with coupons: looked at, redeemed once, taken back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from regulars.decide.offers.keeping.service import Kept, offer_in_force, offer_version
from regulars.decide.offers.pricing import Basket, Candidate, Priced, Rules, price
from regulars.decide.offers.pricing.basket import cents
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.coupons.codes import is_whole, normal
from regulars.reach.coupons.service import lock_pools
from regulars.reach.loyalty.ledger.owners.service import ids_of

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Quote:
    """What an order comes to with the codes of a customer.

    Attributes:
        order_id: The order.
        priced: What it comes to; `refused` says why codes do not apply.
        is_redeemed: True when the codes are used up by it.
        reason: Why nothing was redeemed: refused (a code does not apply), changed (another
            discount than the till expected), reversed (the redemption by that key was taken
            back: redeem under a new one); "" otherwise.
        versions: Version of the offer behind each code that applies.
    """

    order_id: str
    priced: Priced
    is_redeemed: bool = False
    reason: str = ""
    versions: dict[str, int] = field(default_factory=dict)


def check(
    state: State, basket: Basket, codes: Sequence[str], *, now: datetime, rules: Rules | None = None
) -> Quote:
    """Say what an order would come to, and keep nobody waiting for it.

    Args:
        state: The transactional store.
        basket: The order.
        codes: Codes as the customer gave them.
        now: The moment, aware.
        rules: What holds for every order.

    Returns:
        What it would come to. Reasons of refusal beside those of `price`: mistyped,
        unknown_code, not_issued, void, expired, used, wrong_customer, customer_needed,
        customer_limit, offer_not_running.
    """
    with state.reading() as opened:
        return _quote(opened, basket, codes, now, rules or Rules())


def redeem(
    state: State,
    basket: Basket,
    codes: Sequence[str],
    *,
    key: str,
    now: datetime,
    rules: Rules | None = None,
    expected: Decimal | None = None,
) -> Quote:
    """Use codes on an order: all of them or none, once per key and once per order.

    Args:
        state: The transactional store.
        basket: The order.
        codes: Codes as the customer gave them.
        key: The till's own name for this call; the same key gives the same answer again, until
            it is taken back.
        now: The moment, aware.
        rules: What holds for every order.
        expected: Discount the till has shown; with another one nothing is redeemed.

    Returns:
        What the order comes to; `is_redeemed` says whether the codes are used.

    Raises:
        InputError: The key was used for something else, or no code was given.
        NotAllowed: The order stands with codes already: take it back first.
    """
    if not codes or not key:
        raise InputError("give a key and at least one code; an order without codes needs neither")
    asked = _digest(basket, codes)
    with state.sharing() as opened:
        earlier = _earlier(opened, basket, key, asked, now)
        if earlier is not None:
            return earlier
        _lock(opened, codes, now)
        quote = _quote(opened, basket, codes, now, rules or Rules())
        reason = "refused" if quote.priced.refused else ""
        if not reason and expected is not None and expected != quote.priced.discount:
            reason = "changed"
        if reason:
            opened.run(_SQL["leave_order"], key=key)
            _note_refusals(opened, basket, quote, key, now)
            return Quote(quote.order_id, quote.priced, False, reason, quote.versions)
        done = Quote(quote.order_id, quote.priced, True, "", quote.versions)
        _use(opened, basket, done, key, now)
        opened.run(_SQL["answer"], key=key, answer=msgspec.json.encode(done).decode())
    return done


def reverse(state: State, key: str, *, reverse_key: str, now: datetime) -> bool:
    """Take a redemption back, as when the order is returned; its codes may be used again.

    Args:
        state: The transactional store.
        key: Key of the redemption.
        reverse_key: The till's own name for this call.
        now: The moment, aware.

    Returns:
        False when it was taken back before.

    Raises:
        UnknownName: Nothing was redeemed by that key.
    """
    with state.sharing() as opened:
        rows = opened.all(_SQL["redemptions_of"], key=key)
        if not rows:
            raise UnknownName("redemption", key, [])
        codes = [row["code"] for row in rows]
        _lock(opened, codes, now)
        opened.all(_SQL["lock_order"], key=key)
        at = _text(now)
        if not opened.run(_SQL["reverse_order"], key=key, at=at, reverse_key=reverse_key):
            return False
        opened.run(_SQL["reverse_redemptions"], key=key, at=at)
        for code in sorted(codes):
            opened.run(_SQL["unuse_code"], code=code, at=at)
    return True


def redemptions(state: State, *, most: int = 100) -> list[dict[str, Any]]:
    """List redemptions, the newest first, those taken back too."""
    with state.reading() as opened:
        return opened.all(_SQL["redemptions"], most=most)


def _earlier(
    opened: Transaction, basket: Basket, key: str, asked: str, now: datetime
) -> Quote | None:
    """Take the order for this key; what the same key answered before when it did."""
    taken = opened.run(
        _SQL["take_order"],
        key=key,
        order_id=basket.order_id,
        customer_id=basket.customer_id,
        asked=asked,
        at=_text(now),
    )
    if taken:
        return None
    known = opened.all(_SQL["order_by_key"], key=key)
    if not known:
        raise NotAllowed(
            "redemption",
            f"order {basket.order_id} stands with codes already; reverse that redemption first",
        )
    if known[0]["asked"] != asked:
        raise InputError(f"key {key!r} was used for another order or other codes; give a new key")
    quote = msgspec.json.decode(known[0]["answer"], type=Quote)
    if known[0]["reversed_at"] is not None:
        return replace(quote, is_redeemed=False, reason="reversed")
    return quote


def _lock(opened: Transaction, codes: Sequence[str], now: datetime) -> None:
    """Be alone with codes and their offers until the transaction ends: pools, stock, codes."""
    names = json.dumps(sorted({normal(code) for code in codes}))
    offers = sorted({row["offer_id"] for row in opened.all(_SQL["codes"], codes=names)})
    lock_pools(opened, offers, now=now)
    opened.all(_SQL["lock_offers"], offers=json.dumps(offers))
    opened.all(_SQL["lock_codes"], codes=names)


def _quote(
    opened: Transaction, basket: Basket, codes: Sequence[str], now: datetime, rules: Rules
) -> Quote:
    names = list(dict.fromkeys(normal(code) for code in codes))
    rows = {r["code"]: r for r in opened.all(_SQL["codes"], codes=json.dumps(sorted(names)))}
    refused: dict[str, str] = {}
    candidates: list[Candidate] = []
    versions: dict[str, int] = {}
    for name in names:
        row = rows.get(name)
        if row is None:
            refused[name] = "unknown_code" if is_whole(name) else "mistyped"
            continue
        kept = _terms(opened, row, now)
        why = _standing(opened, row, kept, basket, now)
        if why or kept is None:
            refused[name] = why
        else:
            candidates.append(Candidate(name, kept.offer))
            versions[name] = kept.version
    priced = price(basket, candidates, rules)
    priced.refused.update(refused)
    applied = {one.code: versions[one.code] for one in priced.applied}
    return Quote(basket.order_id, priced, versions=applied)


def _terms(opened: Transaction, row: Mapping[str, Any], now: datetime) -> Kept | None:
    """Give the terms of a code: those it was given under, with a floor raised since."""
    newest = offer_in_force(opened, row["offer_id"], at=now)
    if newest is None or row["customer_id"] == "" or row["offer_version"] is None:
        return newest
    kept = offer_version(opened, row["offer_id"], row["offer_version"]) or newest
    floor = max(kept.offer.margin_floor, newest.offer.margin_floor)
    offer = msgspec.structs.replace(kept.offer, margin_floor=floor)
    return Kept(**{**vars(kept), "offer": offer})


def _standing(
    opened: Transaction, row: Mapping[str, Any], kept: Kept | None, basket: Basket, now: datetime
) -> str:
    """Say why a code may not be used now by this customer, whatever the order; "" when it may."""
    if row["state"] in {"void", "expired"}:
        return str(row["state"])
    if row["state"] == "redeemed":
        return "used"
    if row["state"] == "free" or kept is None:
        return "not_issued"
    if row["expires_at"] is not None and row["expires_at"] <= _text(now):
        return "expired"
    if not row["customer_id"] and not kept.offer.runs_at(now):
        return "offer_not_running"
    return _of_customer(opened, row, kept, basket)


def _of_customer(opened: Transaction, row: Mapping[str, Any], kept: Kept, basket: Basket) -> str:
    who, holder = _present(opened, [basket.customer_id, row["customer_id"]])
    limit = kept.offer.limit_per_customer
    if not who and (holder or limit is not None):
        return "customer_needed"
    if holder and who != holder:
        return "wrong_customer"
    if limit is not None:
        mine = json.dumps(ids_of(opened, who))
        used = opened.all(_SQL["used_by"], offer_id=row["offer_id"], customers=mine)
        if used[0]["times"] >= limit:
            return "customer_limit"
    return ""


def _present(opened: Transaction, customers: Sequence[str]) -> list[str]:
    """Give the customers that ids stand for by now: a merged one may use what was hers."""
    found = opened.all(_SQL["present"], nodes=json.dumps(sorted(set(customers) - {""})))
    known = {row["node"]: row["customer_id"] for row in found}
    return [known.get(customer, customer) for customer in customers]


def _use(opened: Transaction, basket: Basket, quote: Quote, key: str, now: datetime) -> None:
    who, *_ = _present(opened, [basket.customer_id])
    at, names = _text(now), [one.code for one in quote.priced.applied]
    rows = {r["code"]: r for r in opened.all(_SQL["codes"], codes=json.dumps(sorted(names)))}
    for place, one in enumerate(quote.priced.applied):
        if not opened.run(_SQL["use_code"], code=one.code, at=at):
            raise NotAllowed("redemption", f"code {one.code} was used meanwhile; ask again")
        opened.run(
            _SQL["add_redemption"],
            key=key,
            position=place,
            code=one.code,
            offer_id=one.offer_id,
            offer_version=quote.versions[one.code],
            holder_id=rows[one.code]["customer_id"],
            customer_id=who,
            order_id=basket.order_id,
            discount_cents=cents(one.discount),
            order_cents=cents(basket.amount),
            store_id=basket.store_id,
            sales_channel=basket.sales_channel,
            at=at,
        )


def _note_refusals(
    opened: Transaction, basket: Basket, quote: Quote, key: str, now: datetime
) -> None:
    """Keep what was refused: guessing and codes passed on show here first."""
    about = {
        "key": key,
        "customer_id": basket.customer_id,
        "order_id": basket.order_id,
        "store_id": basket.store_id,
        "at": _text(now),
    }
    opened.many(
        _SQL["refuse"],
        [
            about | {"code": code, "reason": why}
            for code, why in sorted(quote.priced.refused.items())
        ],
    )


def _digest(basket: Basket, codes: Sequence[str]) -> str:
    """Write what is asked, so that another question by the same key is seen."""
    asked = [msgspec.to_builtins(basket), sorted(normal(code) for code in codes)]
    return json.dumps(asked, ensure_ascii=False, sort_keys=True)


def as_plain(quote: Quote) -> dict[str, Any]:
    """Give a quote as plain values, money as text."""
    return dict(msgspec.to_builtins(asdict(quote)))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
