"""What one customer holds of the programme: points, lots about to end, tier, badges, coupons."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.ports.state import State
from regulars.reach.coupons.stocking.service import codes_of_customers
from regulars.reach.loyalty.badges.service import badges_of
from regulars.reach.loyalty.ledger.owners.service import ids_of
from regulars.reach.loyalty.ledger.service import Balance, balance
from regulars.reach.loyalty.programme.service import find_programme
from regulars.reach.loyalty.referrals.service import Told, referrals_of
from regulars.reach.loyalty.reporting.service import Expiring, expiring_of
from regulars.reach.loyalty.tiers.service import Membership, membership

SOON = timedelta(days=90)
_SHOWN = 4


@dataclass(frozen=True)
class Coupon:
    """A coupon a customer was given.

    Attributes:
        offer_id: Its offer.
        code: The code, but for its last signs covered: it is as good as money.
        state: reserved, issued, redeemed, expired or void.
        issued_at: When it was given, UTC ISO text.
        expires_at: When it ends, UTC ISO text; None for never.
    """

    offer_id: str
    code: str
    state: str
    issued_at: str
    expires_at: str | None


@dataclass(frozen=True)
class Holding:
    """What a customer holds.

    Attributes:
        balance: Points.
        ending: Points that end within 90 days, the soonest first.
        tier: His tier; None without a programme or levels.
        badges: Badges he got, the first first: badge_id, given_at.
        referrals: Friends he brought, the first first.
        coupons: Coupons he was given, whatever became of them, the last first.
    """

    balance: Balance
    ending: list[Expiring]
    tier: Membership | None
    badges: list[dict[str, str]]
    referrals: list[Told]
    coupons: list[Coupon]

    @property
    def is_empty(self) -> bool:
        """True for somebody the programme and the offers never met."""
        has = self.balance
        held = (has.active, has.pending, has.owed, self.badges, self.referrals, self.coupons)
        return not any(held) and not (self.tier and self.tier.tier)


def holding(state: State, customer_id: str, *, now: datetime) -> Holding:
    """Tell what a customer holds, whatever id of his it came under.

    Args:
        state: The transactional store.
        customer_id: The customer, or an id he had before.
        now: The moment, aware.

    Returns:
        The holding.
    """
    programme = find_programme(state)
    levels = programme.tiers if programme and programme.tiers.levels else None
    with state.reading() as opened:
        ids = ids_of(opened, customer_id)
        ending = expiring_of(opened, ids, after=now, until=now + SOON)
    return Holding(
        balance(state, customer_id, now=now),
        ending,
        membership(state, levels, customer_id) if levels else None,
        badges_of(state, customer_id),
        referrals_of(state, customer_id),
        [
            Coupon(
                row["offer_id"],
                f"····{row['shown'][-_SHOWN:]}",
                row["state"],
                row["issued_at"],
                row["expires_at"],
            )
            for row in reversed(codes_of_customers(state, ids))
        ],
    )
