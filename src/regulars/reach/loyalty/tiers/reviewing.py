"""Which tier a customer is in after a look at what he did: pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from regulars.reach.loyalty.programme.definition import Tiers


@dataclass(frozen=True)
class Standing:
    """The tier of one customer.

    Attributes:
        tier: Its name; "" for none.
        since: First day in it.
        review_on: Day it is looked at again; the first day of all for who has none.
    """

    tier: str
    since: date
    review_on: date


def reviewed(
    tiers: Tiers, held: Standing | None, measured: Decimal, *, day: date
) -> tuple[Standing, str]:
    """Say which tier a customer is in on a day, and why.

    Up goes whoever reaches a level, at once. Down goes, on the day of his review, who no longer
    reaches his own: to the level reached, one level, or not at all, as the programme says.

    Args:
        tiers: The levels.
        held: What he has; None when never looked at.
        measured: What he did in the period.
        day: The day.

    Returns:
        His standing, and why it changed: "reached", "lost", "kept" after a review, or "" when
        nothing happened.

    Example:
        >>> from regulars.reach.loyalty.programme.definition import Tier
        >>> tiers = Tiers((Tier("silver", Decimal(100)), Tier("gold", Decimal(500))))
        >>> reviewed(tiers, None, Decimal(600), day=date(2026, 3, 1))[0].tier
        'gold'
        >>> held = Standing("gold", date(2025, 3, 1), date(2026, 3, 1))
        >>> standing, why = reviewed(tiers, held, Decimal(120), day=date(2026, 3, 1))
        >>> standing.tier, why, standing.review_on.isoformat()
        ('silver', 'lost', '2027-03-01')
    """
    before = tiers.place(held.tier) if held else 0
    reached = tiers.reached(measured)
    if reached > before:
        return _standing(tiers, reached, day), "reached"
    if held is None or not before:
        return Standing("", day, day), "lost" if held and held.tier else ""
    if day < held.review_on:
        return held, ""
    floor = {"earned": 0, "one": before - 1, "never": before}[tiers.downgrade]
    after = max(reached, floor)
    if after == before:
        return Standing(held.tier, held.since, tiers.next_review(day)), "kept"
    return _standing(tiers, after, day), "lost"


def _standing(tiers: Tiers, place: int, day: date) -> Standing:
    if not place:
        return Standing("", day, day)
    return Standing(tiers.levels[place - 1].name, day, tiers.next_review(day))
