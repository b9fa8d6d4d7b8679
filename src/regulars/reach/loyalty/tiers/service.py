"""Tiers in the state: who is in which, since when, and when it is looked at again."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.owners.service import ids_by_customer, ids_of
from regulars.reach.loyalty.programme.definition import Tiers
from regulars.reach.loyalty.tiers.reviewing import Standing, reviewed

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Membership:
    """The tier of one customer.

    Attributes:
        tier: Its name; "" for none.
        since: First day in it, ISO 8601; "" for none.
        review_on: Day it is looked at again; "" for none.
        measured: What he did in the period, at the last look.
        to_next: What he lacks of the next level; None at the highest, or without levels.
        next_tier: The next level; "" at the highest.
    """

    tier: str
    since: str
    review_on: str
    measured: Decimal
    to_next: Decimal | None
    next_tier: str


def review_all(
    state: State, tiers: Tiers, measured: Mapping[str, Decimal], *, day: date
) -> dict[str, int]:
    """Look at the tier of everybody who did something, or has one.

    Args:
        state: The transactional store.
        tiers: The levels.
        measured: What customers did in the period, by present customer id.
        day: The day.

    Returns:
        Customers by what happened: reached, lost, kept.
    """
    with state.transaction() as opened:
        joined = ids_by_customer(opened)
        held = _held_by_all(opened, tiers, joined)
        found: dict[str, int] = {}
        puts, changes = [], []
        for name in sorted(held.keys() | measured.keys()):
            before = held.get(name)
            value = measured.get(name, Decimal(0))
            after, why = reviewed(tiers, before, value, day=day)
            if before is None and not after.tier:
                continue
            puts.append(_row(name, after, value))
            if why:
                found[why] = found.get(why, 0) + 1
                changes.append({
                    "customer_id": name,
                    "changed_on": day.isoformat(),
                    "before": before.tier if before else "",
                    "after": after.tier,
                    "why": why,
                    "measured": str(value),
                })
        opened.many(_SQL["put"], [row for row in puts if row["customer_id"] not in joined])
        # What several were before they became one stays theirs, should they part again.
        opened.run(_SQL["forget_joined"])
        opened.many(
            _SQL["put_joined"],
            [
                row | {"ids": json.dumps(joined[row["customer_id"]])}
                for row in puts
                if row["customer_id"] in joined
            ],
        )
        opened.many(_SQL["changed"], changes)
    return dict(sorted(found.items()))


def earned_since(state: State, since: date) -> dict[str, Decimal]:
    """Give the points orders gave since a day, by customer."""
    with state.reading() as opened:
        rows = opened.all(_SQL["earned"], since=since.isoformat())
    return {row["customer_id"]: Decimal(int(row["measured"])) for row in rows}


def first_day(tiers: Tiers, as_of: date) -> date:
    """Give the first day of the period that ends on a day."""
    return as_of - timedelta(days=tiers.period_days - 1)


def membership(state: State, tiers: Tiers, customer_id: str) -> Membership:
    """Tell the tier of a customer.

    Returns:
        The membership; without a tier for who reaches none.
    """
    with state.reading() as opened:
        ids = ids_of(opened, customer_id)
        own, together = _rows_of(opened, ids)
    standing = _that_stand(own, together)
    best = _best(tiers, map(_standing, standing))
    measured = sum((Decimal(row["measured"]) for row in standing), Decimal(0))
    tier = best.tier if best else ""
    place = tiers.place(tier)
    ahead = tiers.levels[place] if place < len(tiers.levels) else None
    return Membership(
        tier,
        best.since.isoformat() if best and tier else "",
        best.review_on.isoformat() if best and tier else "",
        measured,
        max(ahead.threshold - measured, Decimal(0)) if ahead else None,
        ahead.name if ahead else "",
    )


def tiers_of(opened: Transaction, tiers: Tiers, customers: Collection[str]) -> dict[str, str]:
    """Give the tiers of customers, within a transaction.

    Args:
        opened: Any transaction.
        tiers: The levels, which say what is higher.
        customers: Present customer ids.

    Returns:
        Tier by customer; who is in none has "" or is not in it.
    """
    ids = ids_by_customer(opened, customers)
    own, together = _rows_of(opened, {one for mine in ids.values() for one in mine})
    found = {}
    for name, mine in ids.items():
        rows = _that_stand(
            [row for row in own if row["customer_id"] in mine],
            [row for row in together if set(json.loads(row["ids"])) <= set(mine)],
        )
        if best := _best(tiers, map(_standing, rows)):
            found[name] = best.tier
    return found


def tier_counts(state: State, tiers: Tiers) -> dict[str, int]:
    """Count the customers of each tier.

    Args:
        state: The transactional store.
        tiers: The levels, which say what is higher.

    Returns:
        Customers by tier; those in none are left out.
    """
    with state.reading() as opened:
        found = Counter({row["tier"]: int(row["customers"]) for row in opened.all(_SQL["counts"])})
        joined = ids_by_customer(opened)
        own, _ = _rows_of(opened, {one for mine in joined.values() for one in mine})
        found.subtract(row["tier"] for row in own)
        found.update(tiers_of(opened, tiers, list(joined)).values())
    return {name: count for name, count in sorted(found.items()) if name and count}


def _held_by_all(
    opened: Transaction, tiers: Tiers, joined: Mapping[str, tuple[str, ...]]
) -> dict[str, Standing]:
    """Give what everybody has, the best of what several had who are one now."""
    held = {row["customer_id"]: row for row in opened.all(_SQL["held"])}
    together = {row["customer_id"]: row for row in opened.all(_SQL["joined"])}
    found = {}
    for name, mine in joined.items():
        own = [held.pop(one) for one in mine if one in held]
        rows = [together[one] for one in mine if one in together]
        rows = [row for row in rows if set(json.loads(row["ids"])) <= set(mine)]
        if best := _best(tiers, map(_standing, _that_stand(own, rows))):
            found[name] = best
    return {name: _standing(row) for name, row in held.items()} | found


def _rows_of(
    opened: Transaction, ids: Collection[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read what ids have of their own, and what those have together who are all among them."""
    asked = json.dumps(sorted(ids))
    together = opened.all(_SQL["joined_of_ids"], ids=asked)
    return (
        opened.all(_SQL["of_ids"], ids=asked),
        [row for row in together if set(json.loads(row["ids"])) <= set(ids)],
    )


def _that_stand(
    own: Iterable[dict[str, Any]], together: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Leave out what ids had alone that were looked at together since: a tier can be lost."""
    looked_at = {one for row in together for one in json.loads(row["ids"])}
    return [*together, *(row for row in own if row["customer_id"] not in looked_at)]


def _best(tiers: Tiers, found: Iterable[Standing]) -> Standing | None:
    """Choose the highest of several standings, and of equals the one reviewed last."""
    return max(found, key=lambda one: (tiers.place(one.tier), one.review_on), default=None)


def _standing(row: Mapping[str, str]) -> Standing:
    return Standing(
        row["tier"], date.fromisoformat(row["since"]), date.fromisoformat(row["review_on"])
    )


def _row(name: str, standing: Standing, measured: Decimal) -> dict[str, str]:
    return {
        "customer_id": name,
        "tier": standing.tier,
        "since": standing.since.isoformat(),
        "review_on": standing.review_on.isoformat(),
        "measured": str(measured),
    }
