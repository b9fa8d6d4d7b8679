"""Staging: offers taken off stage by stage, kept above the margin floor and the order's limit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from itertools import groupby

from regulars.decide.offers.definition import Offer
from regulars.decide.offers.pricing.allocating import allocated
from regulars.decide.offers.pricing.basket import Basket, cents, is_in_scope, money

BELOW_MIN_ORDER = "below_min_order"
BELOW_FLOOR = "below_floor"
OVER_ORDER_LIMIT = "over_order_limit"


@dataclass
class Part:
    """What one offer takes off, in cents.

    Attributes:
        code: The code.
        offer: The offer.
        by_line: Taken off each line, by line.
        shipping: Taken off shipping.
        cost: What it costs us besides: a gift, points.
        trimmed: Taken back, to keep the floor or the limit of the order.
    """

    code: str
    offer: Offer
    by_line: dict[str, int] = field(default_factory=dict)
    shipping: int = 0
    cost: int = 0
    trimmed: int = 0

    @property
    def discount(self) -> int:
        """Taken off in all."""
        return sum(self.by_line.values()) + self.shipping

    def give_back(self, most: int) -> int:
        """Take off less, from shipping first.

        Args:
            most: Cents to give back at most.

        Returns:
            Cents given back.
        """
        of_shipping = min(most, self.shipping)
        self.shipping -= of_shipping
        before = sum(self.by_line.values())
        of_lines = min(most - of_shipping, before)
        names = sorted(self.by_line)
        kept = allocated(before - of_lines, [self.by_line[name] for name in names])
        self.by_line = dict(zip(names, kept, strict=True))
        self.trimmed += of_shipping + of_lines
        return of_shipping + of_lines


@dataclass(frozen=True)
class Taken:
    """What a set of offers takes off.

    Attributes:
        parts: What each does, in the order they were taken off.
        refusal: Why the set cannot be; "" when it can.
    """

    parts: tuple[Part, ...]
    refusal: str = ""

    @property
    def worth(self) -> int:
        """What the set is worth to the customer, in cents: money, gifts and points."""
        return sum(part.discount + part.cost for part in self.parts)


def take(basket: Basket, offers: Sequence[tuple[str, Offer]], *, most_share: Decimal) -> Taken:
    """Take offers off an order, the lowest stage first.

    Offers of one stage count from the prices the stages before have left; where they would take
    off more than a line costs, the offer whose id comes first has its whole discount.

    Args:
        basket: The order.
        offers: Codes and offers that go together.
        most_share: Largest share of the order's value they may take off in all.

    Returns:
        What each takes off, or why they cannot be.
    """
    left = {line.line_id: cents(line.amount) for line in basket.lines}
    shipping = cents(basket.shipping)
    parts: list[Part] = []
    ordered = sorted(offers, key=lambda one: (one[1].stacking.stage, one[1].offer_id, one[0]))
    for _stage, some in groupby(ordered, key=lambda one: one[1].stacking.stage):
        base = dict(left)
        for code, offer in some:
            part = Part(code, offer)
            scope = [
                line.line_id
                for line in sorted(basket.lines, key=lambda line: line.line_id)
                if is_in_scope(line, offer.scope)
            ]
            worth = sum(base[name] for name in scope)
            if worth < cents(offer.min_order) or worth < _first_step(offer):
                return Taken((), BELOW_MIN_ORDER)
            off = min(_off(offer, worth), sum(left[name] for name in scope))
            part.by_line = dict(
                zip(scope, allocated(off, [left[name] for name in scope]), strict=True)
            )
            part.shipping = _off_shipping(offer, shipping)
            part.cost = _besides(offer, worth)
            shipping -= part.shipping
            for name, taken in part.by_line.items():
                left[name] -= taken
            parts.append(part)
    return _kept_within(basket, parts, most_share)


def margin_room(basket: Basket, parts: Iterable[Part]) -> Decimal | None:
    """Give the margin left over the value of the order.

    Returns:
        A share to six places, negative when the order loses money; None where a cost is not
        known or nothing is worth anything.
    """
    value = cents(basket.amount)
    if value == 0 or any(line.cost is None for line in basket.lines):
        return None
    margin = _margin(basket) - sum(part.discount + part.cost for part in parts)
    return (Decimal(margin) / value).quantize(Decimal("0.000001"))


def _kept_within(basket: Basket, parts: list[Part], most_share: Decimal) -> Taken:
    """Trim what may be trimmed until floor and limit are kept; refuse the set otherwise."""
    value = cents(basket.amount)
    over = sum(part.discount for part in parts) - int(most_share * (value + cents(basket.shipping)))
    if _trim(parts, over) > 0:
        return Taken((), OVER_ORDER_LIMIT)
    floor = max((part.offer.margin_floor for part in parts), default=Decimal(0))
    if floor > 0:
        least = int((floor * value).to_integral_value(ROUND_CEILING))
        spent = sum(part.discount + part.cost for part in parts)
        missing = least - (_margin(basket) - spent)
        may_trim = [part for part in parts if part.offer.when_below_floor == "trim"]
        if _trim(may_trim, missing) > 0:
            return Taken((), BELOW_FLOOR)
    # An offer of which nothing is left is not used up for nothing.
    if any(part.trimmed and not part.discount and not part.cost for part in parts):
        return Taken((), BELOW_FLOOR if floor > 0 else OVER_ORDER_LIMIT)
    return Taken(tuple(parts))


def _trim(parts: Sequence[Part], over: int) -> int:
    """Give back cents, from the offer taken off last first; what could not be given back."""
    for part in reversed(parts):
        if over <= 0:
            break
        over -= part.give_back(over)
    return over


def _margin(basket: Basket) -> int:
    return cents(basket.amount) - sum(cents(line.cost or Decimal(0)) for line in basket.lines)


def _first_step(offer: Offer) -> int:
    return min((cents(step.spend) for step in offer.steps), default=0)


def _off(offer: Offer, worth: int) -> int:
    """What an offer takes off lines worth so much, before anything is kept within limits."""
    if offer.kind == "percent":
        off = int((offer.share * worth).to_integral_value(ROUND_HALF_UP))
    elif offer.kind == "amount":
        off = cents(offer.amount)
    elif offer.kind == "threshold":
        reached = [step for step in offer.steps if cents(step.spend) <= worth]
        step = max(reached, key=lambda one: one.spend)
        times = worth // cents(step.spend) if offer.repeats else 1
        off = cents(step.off) * times
    else:
        off = 0
    return min(off, worth, cents(offer.most)) if offer.most is not None else min(off, worth)


def _off_shipping(offer: Offer, shipping: int) -> int:
    if offer.kind != "free_shipping":
        return 0
    return min(shipping, cents(offer.most)) if offer.most is not None else shipping


def _besides(offer: Offer, worth: int) -> int:
    if offer.kind == "gift":
        return cents(offer.gift_cost)
    if offer.kind == "points":
        extra = (offer.multiplier - 1) * offer.point_cost * money(worth)
        return int((extra * 100).to_integral_value(ROUND_CEILING))
    return 0
