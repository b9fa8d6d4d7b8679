"""Tiers in the state: who is in which, since when, and when it is looked at again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from regulars.ports.state import Queries, State
from regulars.reach.loyalty.programme.definition import Tiers
from regulars.reach.loyalty.tiers.reviewing import Standing, reviewed
from regulars.unify.identity.service import present_ids

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
        rows = opened.all(_SQL["held"])
        held = {row["customer_id"]: row for row in rows}
        found: dict[str, int] = {}
        puts, changes = [], []
        for name in sorted(held.keys() | measured.keys()):
            row = held.get(name)
            before = _standing(row) if row else None
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
        opened.many(_SQL["put"], puts)
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
    present = present_ids(state, [customer_id])[customer_id]
    with state.reading() as opened:
        rows = opened.all(_SQL["of_customer"], customer_id=present)
    row = rows[0] if rows else {"tier": "", "since": "", "review_on": "", "measured": "0"}
    place, measured = tiers.place(row["tier"]), Decimal(row["measured"])
    ahead = tiers.levels[place] if place < len(tiers.levels) else None
    return Membership(
        row["tier"],
        row["since"] if row["tier"] else "",
        row["review_on"] if row["tier"] else "",
        measured,
        max(ahead.threshold - measured, Decimal(0)) if ahead else None,
        ahead.name if ahead else "",
    )


def tier_counts(state: State) -> dict[str, int]:
    """Count the customers of each tier; those in none are left out."""
    with state.reading() as opened:
        return {row["tier"]: int(row["customers"]) for row in opened.all(_SQL["counts"])}


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
