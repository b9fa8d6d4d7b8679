"""What a programme is: rules as frozen records, and the moments they give."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from regulars.reach.loyalty.ledger.records import Policy

METHODS = ("days", "month_end", "year_end", "never")
DOWNGRADES = ("earned", "one", "never")
MEASURES = ("spend", "points")
OTHER = "*"


@dataclass(frozen=True)
class Expiry:
    """When points expire.

    Attributes:
        method: "days": so many days after they were earned; "month_end": with the month that is
            so many months later; "year_end": with the year so many years later; "never".
        after: Days, months or years, by the method.
    """

    method: str = "days"
    after: int = 365

    def last_day(self, earned: date) -> date | None:
        """Give the last day points are good.

        Args:
            earned: Day they were earned.

        Returns:
            The day; None when they never expire.

        Example:
            >>> Expiry("month_end", 1).last_day(date(2026, 1, 31)).isoformat()
            '2026-02-28'
            >>> Expiry("year_end", 1).last_day(date(2026, 3, 1)).isoformat()
            '2027-12-31'
        """
        if self.method == "never":
            return None
        if self.method == "days":
            return earned + timedelta(days=self.after)
        if self.method == "year_end":
            return date(earned.year + self.after, 12, 31)
        months = earned.year * 12 + earned.month - 1 + self.after
        year, month = divmod(months, 12)
        return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


@dataclass(frozen=True)
class Earning:
    """What orders earn.

    Attributes:
        per_unit: Points per unit of currency paid, 0 or more.
        lock_days: Days after the order before its points can be spent: the time for returns.
        multiplier_by_category: Multiplier of a product's type, category or department, the
            narrowest named first; 1 for others.
    """

    per_unit: Decimal = Decimal(1)
    lock_days: int = 14
    multiplier_by_category: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Tier:
    """A level of members.

    Attributes:
        name: Its name.
        threshold: What a customer must reach in the period: money spent, or points earned.
        multiplier: Multiplies what orders earn.
    """

    name: str
    threshold: Decimal
    multiplier: Decimal = Decimal(1)


@dataclass(frozen=True)
class Tiers:
    """The levels, and how one gets in and out of them.

    Attributes:
        levels: The lowest first; whoever reaches none has none.
        measure: "spend": money paid, returns taken off; "points": points earned by orders.
        period_days: Days looked back over.
        review: Month and day of the yearly review as MM-DD; "" for a year after he got in.
        downgrade: At the review: "earned" to the level reached, "one" at most one level down,
            "never".
    """

    levels: tuple[Tier, ...] = ()
    measure: str = "spend"
    period_days: int = 365
    review: str = ""
    downgrade: str = "earned"

    def reached(self, measured: Decimal) -> int:
        """Give the level a measure reaches.

        Returns:
            Its place, 1 for the lowest; 0 for none.
        """
        return sum(measured >= one.threshold for one in self.levels)

    def place(self, name: str) -> int:
        """Give the place of a level by name; 0 for none, and for one there is no more."""
        return next((at for at, one in enumerate(self.levels, 1) if one.name == name), 0)

    def multiplier(self, name: str) -> Decimal:
        """Give what multiplies the points of a level's members; 1 for none."""
        place = self.place(name)
        return self.levels[place - 1].multiplier if place else Decimal(1)

    def next_review(self, since: date) -> date:
        """Give the day a level that began on a day is looked at again.

        Returns:
            The first review at least a day later; a year later when none is fixed.

        Example:
            >>> Tiers(review="01-01").next_review(date(2026, 3, 1)).isoformat()
            '2027-01-01'
        """
        if not self.review:
            return since + timedelta(days=365)
        month, day = map(int, self.review.split("-"))
        here = date(since.year, month, day)
        return here if here > since else date(since.year + 1, month, day)


@dataclass(frozen=True)
class Badge:
    """Something a customer gets once, when a rule first holds for him.

    Attributes:
        id: Its name.
        title: How it is called.
        rule: Conditions on his profile, as tags write them.
        points: Points that come with it.
    """

    id: str
    title: str
    rule: Mapping[str, Any]
    points: int = 0


@dataclass(frozen=True)
class Referral:
    """What both sides get when a customer brings a friend.

    Attributes:
        referrer_points: What who brings gets.
        friend_points: What who is brought gets.
        most: Friends one customer is paid for, in all.
        return_days: Days after the friend's first order before anything is paid.
        min_order: Least he must have paid by then, returns taken off.
    """

    referrer_points: int
    friend_points: int
    most: int = 10
    return_days: int = 14
    min_order: Decimal = Decimal(0)


@dataclass(frozen=True)
class Task:
    """Something a customer does for points.

    Attributes:
        id: Its name.
        title: How it is called.
        points: Points each time.
        times: How often, in all.
    """

    id: str
    title: str
    points: int
    times: int = 1


@dataclass(frozen=True)
class Reward:
    """What points buy: a coupon of an offer.

    Attributes:
        id: Its name.
        title: How it is called.
        offer_id: The offer a coupon is made of.
        points: What it costs.
    """

    id: str
    title: str
    offer_id: str
    points: int


@dataclass(frozen=True)
class Prize:
    """One prize of a draw.

    Attributes:
        id: Its name.
        title: How it is called.
        share: Probability of it in one draw, 0 to 1, exact.
        points: Points it is; 0 for goods or a coupon.
        offer_id: Offer a coupon of which it is; "" otherwise.
        value: What it is worth, in the workspace's currency.
        stock: How often it can be won in all; None for always.
    """

    id: str
    title: str
    share: Fraction
    points: int = 0
    offer_id: str = ""
    value: Decimal = Decimal(0)
    stock: int | None = None


@dataclass(frozen=True)
class Draw:
    """A draw with published odds.

    Attributes:
        id: Its name.
        cost: Points one draw costs; 0 for free.
        per_day: Draws of one customer and day.
        prizes: The prizes; their shares sum to 1.
        gone: Prize given instead of one whose stock is used up; it has no stock itself.
    """

    id: str
    cost: int
    per_day: int
    prizes: tuple[Prize, ...]
    gone: str


@dataclass(frozen=True)
class Programme:
    """All rules of a programme, in one version.

    Attributes:
        name: How it is called.
        starts_on: First day whose orders earn points.
        point_value: What one point is worth, in the workspace's currency.
        policy: What the ledger does where more than one answer would be right.
        earning: What orders earn.
        expiry: When points expire.
        tiers: Levels of members.
        badges: Things got once.
        referral: What bringing a friend gives; None when nothing.
        check_ins: Points by day of a streak; the last holds for all later days; empty for none.
        tasks: Things done for points.
        rewards: What points buy.
        draw: The draw; None when there is none.
        version: 1 for the first kept; 0 before.
    """

    name: str
    starts_on: date
    point_value: Decimal
    policy: Policy = Policy()
    earning: Earning = Earning()
    expiry: Expiry = Expiry()
    tiers: Tiers = Tiers()
    badges: tuple[Badge, ...] = ()
    referral: Referral | None = None
    check_ins: tuple[int, ...] = ()
    tasks: tuple[Task, ...] = ()
    rewards: tuple[Reward, ...] = ()
    draw: Draw | None = None
    version: int = 0

    def moments(self, earned: datetime, *, zone: str) -> tuple[datetime | None, datetime | None]:
        """Give the moments the lock of points ends, and the points themselves.

        Args:
            earned: When they were earned, aware.
            zone: IANA zone days are counted in.

        Returns:
            None for no lock, and for no end; points live a day at least once their lock ended.
        """
        days = self.earning.lock_days
        available = earned + timedelta(days=days) if days else None
        last = self.expiry.last_day(earned.astimezone(ZoneInfo(zone)).date())
        if last is None:
            return available, None
        end = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
        return available, max(end, (available or earned) + timedelta(days=1))

    def points_of(self, weighted: Decimal, multiplier: Decimal) -> int:
        """Give the points of an order.

        Args:
            weighted: What was paid and not returned, times the multipliers of categories.
            multiplier: That of the customer's tier.

        Returns:
            Whole points, rounded down once per order.

        Example:
            >>> Programme("a", date(2026, 1, 1), Decimal("0.01")).points_of(
            ...     Decimal("12.90"), Decimal("1.5")
            ... )
            19
        """
        return int((weighted * self.earning.per_unit * multiplier).to_integral_value(ROUND_FLOOR))
