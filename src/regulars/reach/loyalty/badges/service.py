"""Badges in the state: given once, with their points, in one transaction."""

import json
from collections.abc import Sequence
from datetime import datetime

from regulars.ports.state import Queries, State
from regulars.reach.loyalty.ledger.owners.service import ids_by_customer, ids_of
from regulars.reach.loyalty.ledger.records import earn, text_of
from regulars.reach.loyalty.ledger.service import post
from regulars.reach.loyalty.programme.definition import Badge, Programme

_SQL = Queries(__package__)
AT_ONCE = 2_000


def give_badge(
    state: State,
    badge: Badge,
    customers: Sequence[str],
    programme: Programme,
    *,
    now: datetime,
    zone: str,
) -> int:
    """Give a badge to those who do not have it yet.

    Args:
        state: The transactional store.
        badge: The badge.
        customers: Whoever meets its rule, by present customer id.
        programme: Says when the points that come with it expire.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        Customers who got it now.
    """
    given = 0
    _, expires = programme.moments(now, zone=zone)
    for first in range(0, len(customers), AT_ONCE):
        part = sorted(set(customers[first : first + AT_ONCE]))
        with state.sharing() as opened:
            ids = ids_by_customer(opened, part)
            asked = json.dumps(sorted({one for mine in ids.values() for one in mine}))
            have = {
                row["customer_id"]
                for row in opened.all(_SQL["given"], badge_id=badge.id, customers=asked)
            }
            news = [name for name in part if have.isdisjoint(ids[name])]
            rows = [{"customer_id": c, "badge_id": badge.id, "at": text_of(now)} for c in news]
            given += opened.many(_SQL["give"], rows)
            if badge.points:
                asks = [
                    earn(
                        f"badge/{badge.id}/{name}",
                        name,
                        badge.points,
                        reason="badge",
                        reference=badge.id,
                        expires_at=expires,
                    )
                    for name in news
                ]
                post(opened, asks, now=now, policy=programme.policy)
    return given


def badges_of(state: State, customer_id: str) -> list[dict[str, str]]:
    """List the badges of a customer, the first first: badge_id, given_at.

    Returns:
        One row per badge, whatever id it was got under; empty for who has none.
    """
    with state.reading() as opened:
        ids = json.dumps(ids_of(opened, customer_id))
        return opened.all(_SQL["of_customer"], ids=ids)
