"""Combining: of the offers a customer brings, those that go together and take off the most."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations

from regulars.decide.offers.definition import Offer
from regulars.decide.offers.pricing.basket import Basket, is_in_scope, money
from regulars.decide.offers.pricing.staging import Taken, margin_room, take
from regulars.errors import InputError
from regulars.settings import Orders

MOST_CODES = 8
"""Codes on one order: every set of them is looked at, 255 at most."""


@dataclass(frozen=True)
class Candidate:
    """An offer a customer brings to an order.

    Attributes:
        code: The code; for an offer without codes its id.
        offer: The offer, with the terms the code has.
    """

    code: str
    offer: Offer


@dataclass(frozen=True)
class Rules:
    """What holds for every order, whatever the offers say.

    Attributes:
        most_per_order: Offers one order may have.
        most_share: Largest share of an order's value offers may take off in all, 0 to 1.
    """

    most_per_order: int = 3
    most_share: Decimal = Decimal(1)

    @classmethod
    def of(cls, orders: Orders) -> "Rules":
        """Give the rules a workspace has set."""
        return cls(orders.most_offers, Decimal(str(orders.most_discount_share)))


@dataclass(frozen=True)
class Applied:
    """What one code does on an order.

    Attributes:
        code: The code.
        offer_id: Its offer.
        discount: Money taken off lines and shipping.
        by_line: Money taken off each line, by line; lines without are left out.
        shipping: Money taken off shipping.
        gift: Product given; "" for none.
        multiplier: Points times this.
        trimmed: Money the margin floor or the limit of the order kept from being taken off.
    """

    code: str
    offer_id: str
    discount: Decimal
    by_line: dict[str, Decimal]
    shipping: Decimal = Decimal(0)
    gift: str = ""
    multiplier: Decimal = Decimal(1)
    trimmed: Decimal = Decimal(0)


@dataclass(frozen=True)
class Priced:
    """What an order comes to.

    Attributes:
        amount: Money of the lines before any offer.
        shipping: Money for shipping before any offer.
        discount: Money taken off in all.
        to_pay: What is left to pay, shipping included.
        by_line: Money left to pay by line.
        applied: What each code that applies does, in the order it was taken off.
        refused: Why others do not apply, by code.
        margin_share: Margin left over the value of the order; None where costs are not known.
        floor: Margin that had to be left: the highest floor of the offers applied.
    """

    amount: Decimal
    shipping: Decimal
    discount: Decimal
    to_pay: Decimal
    by_line: dict[str, Decimal]
    applied: tuple[Applied, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    margin_share: Decimal | None = None
    floor: Decimal = Decimal(0)


def price(basket: Basket, candidates: Sequence[Candidate], rules: Rules | None = None) -> Priced:
    """Find the set of offers that takes off the most and breaks no rule, and take it off.

    The answer does not depend on the order in which codes or lines are given.

    Args:
        basket: The order.
        candidates: Offers brought to it, 8 at most.
        rules: What holds for every order.

    Returns:
        What the order comes to. Reasons why a code is refused: out_of_scope, below_min_order,
        cost_unknown, below_floor, same_offer, same_group, exclusive, too_many,
        over_order_limit, better_without.

    Raises:
        InputError: A code is given twice, or there are more than 8.

    Example:
        >>> from regulars.decide.offers.pricing.basket import Line
        >>> ten = Offer(offer_id="ten", name="ten", kind="percent", share=Decimal("0.1"))
        >>> basket = Basket("o1", (Line("1", "p1", Decimal("19.99")),))
        >>> price(basket, [Candidate("A", ten)]).to_pay
        Decimal('17.99')
    """
    rules = rules or Rules()
    given = sorted(candidates, key=lambda one: one.code)
    codes = [one.code for one in given]
    if len(set(codes)) < len(codes) or len(codes) > MOST_CODES:
        raise InputError(f"there are {len(codes)} codes; give each once, {MOST_CODES} at most")
    alone = {one.code: _alone(basket, one) for one in given}
    usable = [one for one in given if not alone[one.code]]
    found = _best(basket, usable, rules)
    refused = {code: why for code, why in alone.items() if why}
    chosen = {part.code for part in found.parts}
    for one in usable:
        if one.code not in chosen:
            refused[one.code] = _why_not(basket, one, found, rules, usable)
    return _priced(basket, found, refused)


def _best(basket: Basket, usable: Sequence[Candidate], rules: Rules) -> Taken:
    """Look at every set that may go together; of those equally good the one with more offers."""
    sets = (
        few
        for size in range(min(len(usable), rules.most_per_order) + 1)
        for few in combinations(usable, size)
        if not _clash(few)
    )
    taken = [one for few in sets if not (one := _taken(basket, few, rules)).refusal]
    return min(
        taken, key=lambda one: (-one.worth, -len(one.parts), sorted(p.code for p in one.parts))
    )


def _taken(basket: Basket, few: Sequence[Candidate], rules: Rules) -> Taken:
    pairs = [(one.code, one.offer) for one in few]
    return take(basket, pairs, most_share=rules.most_share)


def _alone(basket: Basket, one: Candidate) -> str:
    """Say why an offer would not apply to an order if it came alone; "" when it would."""
    scope = one.offer.scope
    if scope.stores and basket.store_id not in scope.stores:
        return "out_of_scope"
    if scope.sales_channels and basket.sales_channel not in scope.sales_channels:
        return "out_of_scope"
    if not any(is_in_scope(line, scope) for line in basket.lines):
        return "out_of_scope"
    if one.offer.margin_floor > 0 and any(line.cost is None for line in basket.lines):
        return "cost_unknown"
    return take(basket, [(one.code, one.offer)], most_share=Decimal(1)).refusal


def _clash(few: Sequence[Candidate]) -> str:
    """Say why offers do not go together; "" when they do."""
    offers = [one.offer.offer_id for one in few]
    groups = [one.offer.stacking.group for one in few if one.offer.stacking.group]
    if len(set(offers)) < len(offers):
        return "same_offer"
    if len(few) > 1 and any(one.offer.stacking.is_exclusive for one in few):
        return "exclusive"
    return "same_group" if len(set(groups)) < len(groups) else ""


def _why_not(
    basket: Basket, one: Candidate, found: Taken, rules: Rules, usable: Sequence[Candidate]
) -> str:
    """Say what stands between a usable offer and the set that was chosen."""
    by_code = {other.code: other for other in usable}
    few = [one, *(by_code[part.code] for part in found.parts)]
    if len(few) > rules.most_per_order:
        return _clash(few) or "too_many"
    return _clash(few) or _taken(basket, few, rules).refusal or "better_without"


def _priced(basket: Basket, found: Taken, refused: dict[str, str]) -> Priced:
    applied = tuple(
        Applied(
            part.code,
            part.offer.offer_id,
            money(part.discount),
            {line: money(off) for line, off in part.by_line.items() if off},
            money(part.shipping),
            part.offer.gift if part.offer.kind == "gift" else "",
            part.offer.multiplier,
            money(part.trimmed),
        )
        for part in found.parts
    )
    left = {
        line.line_id: line.amount
        - sum((one.by_line.get(line.line_id, 0) for one in applied), Decimal(0))
        for line in basket.lines
    }
    discount = sum((one.discount for one in applied), Decimal(0))
    priced = Priced(
        basket.amount,
        basket.shipping,
        discount,
        basket.amount + basket.shipping - discount,
        left,
        applied,
        refused,
    )
    room = margin_room(basket, found.parts)
    return replace(
        priced,
        margin_share=room,
        floor=max((part.offer.margin_floor for part in found.parts), default=Decimal(0)),
    )
