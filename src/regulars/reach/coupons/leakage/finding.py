"""Finding leaks: what was used against the rules, each with the rows behind it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from regulars.decide.offers.definition import Offer

KINDS = (
    "wrong_customer",
    "used_too_often",
    "over_limit",
    "after_end",
    "below_min_order",
    "stacked",
    "over_amount",
    "burst",
    "guessing",
)
BURST_LEAST = 20
"""Uses of one offer on a day from which it can be a burst."""
BURST_TIMES = 5
"""How many times the usual day it must be."""
GUESSES = 10
"""Codes nobody knows, from one customer or store within an hour, that look like guessing."""


@dataclass(frozen=True)
class Use:
    """One code used on one order, as the ledger or a till's file says.

    Attributes:
        use_id: Its name.
        code: The code.
        offer_id: Its offer.
        customer_id: Who used it; "" when nobody knows.
        holder_id: To whom it was given; "" for a code everybody may use.
        order_id: The order; "" when not known.
        at: When, aware; a day of a file counts as its first moment.
        discount: Money taken off.
        order_amount: Money of the order before it; None when not known.
        ends_at: When the code ended; None for never.
        most_uses: Orders it may be used on; None for any.
        source: "ledger", or "file" for what a till told afterwards.
    """

    use_id: str
    code: str
    offer_id: str
    customer_id: str
    holder_id: str
    order_id: str
    at: datetime
    discount: Decimal
    order_amount: Decimal | None = None
    ends_at: datetime | None = None
    most_uses: int | None = 1
    source: str = "ledger"


@dataclass(frozen=True)
class Leak:
    """One thing used against the rules.

    Attributes:
        kind: One of the kinds.
        offer_id: The offer; "" for guessing.
        amount: Money it cost.
        uses: The rows behind it, by their names.
        detail: What was found, such as the codes on one order.
    """

    kind: str
    offer_id: str
    amount: Decimal
    uses: tuple[str, ...]
    detail: str = ""


def leaks(uses: Iterable[Use], offers: Mapping[str, Offer]) -> list[Leak]:
    """Find what was used against the rules.

    A day of a file has no hour: a code used on its last day is in time.

    Args:
        uses: Codes used, those taken back left out.
        offers: Offers by id; codes of others are passed over.

    Returns:
        Leaks by kind in the order of `KINDS`, then by offer and use.

    Example:
        >>> from datetime import UTC
        >>> moment = datetime(2026, 3, 1, tzinfo=UTC)
        >>> ten = Offer(offer_id="ten", name="ten", kind="percent", share=Decimal("0.1"))
        >>> use = Use("u1", "A", "ten", "bob", "ann", "o1", moment, Decimal(5))
        >>> leaks([use], {"ten": ten})[0].kind
        'wrong_customer'
    """
    known = sorted((u for u in uses if u.offer_id in offers), key=lambda u: (u.at, u.use_id))
    found = [
        *_of_one(known, offers),
        *_too_often(known),
        *_over_limit(known, offers),
        *_stacked(known, offers),
        *_bursts(known),
    ]
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.offer_id, one.uses))


def _of_one(uses: Sequence[Use], offers: Mapping[str, Offer]) -> Iterable[Leak]:
    """What one use shows by itself."""
    for use in uses:
        offer, row = offers[use.offer_id], (use.use_id,)
        if use.holder_id and use.customer_id and use.customer_id != use.holder_id:
            yield Leak("wrong_customer", use.offer_id, use.discount, row, use.code)
        if use.ends_at is not None and use.at >= use.ends_at:
            yield Leak("after_end", use.offer_id, use.discount, row, use.code)
        if use.order_amount is None:
            continue
        least = max(offer.min_order, min((step.spend for step in offer.steps), default=Decimal(0)))
        if use.order_amount < least:
            yield Leak("below_min_order", use.offer_id, use.discount, row, f"{use.order_amount}")
        most = _most(offer, use.order_amount)
        if most is not None and use.discount > most + Decimal("0.01"):
            yield Leak("over_amount", use.offer_id, use.discount - most, row, f"{most}")


def _too_often(uses: Sequence[Use]) -> Iterable[Leak]:
    by_code: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        by_code[use.code].append(use)
    for few in by_code.values():
        over = few[few[0].most_uses :] if few[0].most_uses is not None else []
        for use in over:
            yield Leak("used_too_often", use.offer_id, use.discount, (use.use_id,), use.code)


def _over_limit(uses: Sequence[Use], offers: Mapping[str, Offer]) -> Iterable[Leak]:
    times: Counter[tuple[str, str]] = Counter()
    for use in uses:
        limit = offers[use.offer_id].limit_per_customer
        if limit is None or not use.customer_id:
            continue
        times[use.offer_id, use.customer_id] += 1
        if times[use.offer_id, use.customer_id] > limit:
            detail = use.customer_id
            yield Leak("over_limit", use.offer_id, use.discount, (use.use_id,), detail)


def _stacked(uses: Sequence[Use], offers: Mapping[str, Offer]) -> Iterable[Leak]:
    by_order: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        if use.order_id:
            by_order[use.order_id].append(use)
    for order, few in by_order.items():
        rules = [offers[use.offer_id].stacking for use in few]
        groups = Counter(rule.group for rule in rules if rule.group)
        same = Counter(use.offer_id for use in few)
        clash = len(few) > 1 and any(rule.is_exclusive for rule in rules)
        if clash or max(groups.values(), default=0) > 1 or max(same.values()) > 1:
            # Whatever was the largest the order could have had.
            amount = sum((u.discount for u in few), Decimal(0)) - max(u.discount for u in few)
            yield Leak("stacked", few[0].offer_id, amount, tuple(u.use_id for u in few), order)


def _bursts(uses: Sequence[Use]) -> Iterable[Leak]:
    """Days on which an offer was used far more often than usual, by many, as after a leak."""
    by_day: dict[str, dict[str, list[Use]]] = defaultdict(lambda: defaultdict(list))
    for use in uses:
        by_day[use.offer_id][use.at.date().isoformat()].append(use)
    for offer, days in by_day.items():
        for day, few in days.items():
            others = [len(rows) for other, rows in days.items() if other < day]
            usual = max(1.0, median(others)) if others else None
            many = len({u.customer_id or u.use_id for u in few})
            if usual and many >= BURST_LEAST and len(few) >= BURST_TIMES * usual:
                amount = sum((u.discount for u in few), Decimal(0))
                yield Leak("burst", offer, amount, tuple(u.use_id for u in few), day)


def guesses(refusals: Iterable[Mapping[str, str]]) -> list[Leak]:
    """Find who tries codes nobody knows, one after the other.

    Args:
        refusals: Codes refused: key, code, reason, customer_id, store_id, at (ISO 8601).

    Returns:
        One per customer or store and run of tries within an hour; it cost nothing yet.
    """
    by_who: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for one in refusals:
        if one["reason"] in {"unknown_code", "mistyped"}:
            by_who[one["customer_id"] or one["store_id"]].append(one)
    found = []
    for who, rows in sorted(by_who.items()):
        rows.sort(key=lambda one: (one["at"], one["key"], one["code"]))
        moments = [datetime.fromisoformat(one["at"]) for one in rows]
        for start in range(len(rows) - GUESSES + 1):
            if moments[start + GUESSES - 1] - moments[start] <= timedelta(hours=1):
                names = tuple(f"{one['key']}/{one['code']}" for one in rows[start:])
                found.append(Leak("guessing", "", Decimal(0), names, who))
                break
    return found


def needless(discount: Decimal, orders: int, extra: float) -> Decimal:
    """Give the discount that went to orders a holdout says would have come anyway.

    Args:
        discount: Money taken off the orders of a campaign.
        orders: Those orders.
        extra: Orders the campaign brought, measured against its holdout.

    Returns:
        Money; all of it when the campaign brought none, none of it when it brought every one.

    Source:
        Ours: of the orders with a discount those that are not extra would have come without.

    Example:
        >>> needless(Decimal(100), 50, 10.0)
        Decimal('80.00')
    """
    if orders == 0:
        return Decimal(0)
    share = min(1.0, max(0.0, 1 - extra / orders))
    return (discount * Decimal(repr(share))).quantize(Decimal("0.01"))


def _most(offer: Offer, amount: Decimal) -> Decimal | None:
    """The most an offer takes off an order of this amount; None where a scope may count."""
    if offer.kind == "percent":
        most = offer.share * amount
    elif offer.kind == "amount":
        most = offer.amount
    elif offer.kind == "threshold":
        steps = [step for step in offer.steps if step.spend <= amount]
        if not steps:
            return None
        step = max(steps, key=lambda one: one.spend)
        most = step.off * (int(amount // step.spend) if offer.repeats else 1)
    else:
        return None
    return min(most, offer.most) if offer.most is not None else most


def told_by_file(use: Use) -> Use:
    """Give a use a till's file told: its day has no hour, so that its last day is in time."""
    if use.ends_at is None:
        return replace(use, source="file")
    whole_day = use.ends_at.replace(hour=0, minute=0, second=0, microsecond=0)
    end = use.ends_at if use.ends_at == whole_day else whole_day + timedelta(days=1)
    return replace(use, source="file", ends_at=end)
