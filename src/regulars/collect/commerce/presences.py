"""Signs of somebody on the web or in a store, joined into stretches without a long gap."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

GAP = timedelta(minutes=30)
BROWSING = frozenset({
    "Products Searched",
    "Product List Viewed",
    "Product List Filtered",
    "Promotion Viewed",
    "Promotion Clicked",
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Product Added to Wishlist",
    "Product Shared",
    "Cart Viewed",
    "Cart Shared",
    "Checkout Started",
    "Checkout Step Viewed",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Coupon Entered",
    "Coupon Applied",
    "Coupon Denied",
    "Coupon Removed",
})
SENSED = "Store Visited"
COUNTED = "Door Counted"


@dataclass(frozen=True, order=True)
class Presence:
    """A stretch of time somebody was there: a row of the table `presences`.

    Attributes:
        customer_id: Who; "" for a counter at a door.
        kind: web, store or door.
        store_id: Which store; "" on the web.
        source: Where it was told.
        started_at: First sign.
        ended_at: Last sign.
        presence_id: Source and message id of the first sign.
        business_date: Day of the first sign in the workspace's zone.
        visitors: People it counts.
    """

    customer_id: str
    kind: str
    store_id: str
    source: str
    started_at: datetime
    ended_at: datetime
    presence_id: str
    business_date: date
    visitors: int = 1


# Written out once: comparing records field by field makes two tuples at every comparison.
_IN_ORDER = attrgetter(*Presence.__dataclass_fields__)


def joined(signs: Iterable[Presence], gap: timedelta = GAP) -> list[Presence]:
    """Join signs of the same customer, kind, store and source that follow within the gap.

    Joining in two rounds gives what joining at once gives, so that the batches in which signs
    arrive do not matter.

    Args:
        signs: Moments, or stretches joined before, in any order.
        gap: Longest silence within a stretch.

    Returns:
        Stretches in order; those of doors are left as they are.

    Source: the 30 minutes of Google Analytics sessions.

    Example:
        >>> at = datetime(2026, 11, 2)
        >>> days = [at + timedelta(minutes=m) for m in (0, 20, 51)]
        >>> signs = [Presence("c", "web", "", "site", d, d, str(d), d.date()) for d in days]
        >>> [(p.ended_at - p.started_at).seconds // 60 for p in joined(signs)]
        [20, 0]
    """
    found: list[Presence] = []
    for sign in sorted(signs, key=_IN_ORDER):
        last = found[-1] if found else None
        if (
            last
            and sign.customer_id
            and _same(last, sign)
            and sign.started_at - last.ended_at <= gap
        ):
            found[-1] = _merged(last, sign)
        else:
            found.append(sign)
    return found


def _same(one: Presence, other: Presence) -> bool:
    return (one.customer_id, one.kind, one.store_id, one.source) == (
        other.customer_id,
        other.kind,
        other.store_id,
        other.source,
    )


def _merged(first: Presence, later: Presence) -> Presence:
    return Presence(
        first.customer_id,
        first.kind,
        first.store_id,
        first.source,
        first.started_at,
        max(first.ended_at, later.ended_at),
        first.presence_id,
        first.business_date,
        first.visitors,
    )
