"""Creators kept: a tracked link and a code each, and what their orders come to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State
from regulars.reach.coupons.codes import normal
from regulars.reach.coupons.stocking.service import share_code
from regulars.reach.links.clicks.service import counts
from regulars.reach.links.creator_marks import key_of_link
from regulars.reach.links.marking import Utm, checked_url, with_utm
from regulars.reach.links.service import Links, keep

KINDS = ("koc", "kol")
CHANNEL = "creator"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Creator:
    """Somebody who speaks of the shop to people of their own.

    Attributes:
        creator_id: 1 to 64 lower-case letters, digits, dots and dashes.
        name: What they are called in public.
        kind: "koc" (a customer who is heard) or "kol" (who lives of being heard).
        platform: Where: xiaohongshu, douyin...
        code: Their code; also names their link.
        target: Page the link leads to.
        share: Share of net sales due to them, 0 to 1.
        offer_id: Offer the code gives; "" when it only tells where orders come from.
    """

    creator_id: str
    name: str
    kind: str
    platform: str
    code: str
    target: str
    share: Decimal = Decimal(0)
    offer_id: str = ""

    @property
    def url(self) -> str:
        """The page with its marks, where the link leads."""
        utm = Utm(self.platform, CHANNEL, self.code, self.creator_id)
        return with_utm(checked_url(self.target), utm)


@dataclass(frozen=True)
class Payout:
    """What a creator brought in a time, ready to be paid.

    Attributes:
        creator: Who.
        clicks: Clicks of people on the link, ever.
        orders: Orders paid for with the code, those that came back left out.
        customers: Customers behind them.
        sales: Money of the orders before the discount.
        discount: Money taken off.
        due: Share of what was paid that is due, in cents rounded down.
    """

    creator: Creator
    clicks: int
    orders: int
    customers: int
    sales: Decimal
    discount: Decimal
    due: Decimal


def put_creator(state: State, creator: Creator, *, actor: str, now: datetime) -> Creator:
    """Keep a creator; the code of an offer is made with the first time.

    Args:
        state: The transactional store.
        creator: Who; code and offer cannot be changed later.
        actor: Who keeps them.
        now: The moment, aware.

    Returns:
        The creator as kept.

    Raises:
        InputError: A part cannot be used, or the code is taken.
    """
    _check(creator)
    known = {one.creator_id: one for one in creators(state)}
    before = known.get(creator.creator_id)
    taken = {normal(one.code) for one in known.values() if one.creator_id != creator.creator_id}
    if normal(creator.code) in taken:
        raise InputError(f"code {creator.code} is another creator's; choose another")
    if before and (before.code, before.offer_id) != (creator.code, creator.offer_id):
        raise InputError(
            f"creator {creator.creator_id} has code {before.code} of offer {before.offer_id!r}; "
            "people know it: keep another creator for another code"
        )
    if creator.offer_id and before is None:
        share_code(state, creator.offer_id, creator.code, most_uses=None, actor=actor, now=now)
    with state.transaction() as opened:
        opened.run(
            _SQL["put"],
            creator_id=creator.creator_id,
            name=creator.name,
            kind=creator.kind,
            platform=creator.platform,
            code=creator.code,
            target=creator.target,
            offer_id=creator.offer_id,
            share_bp=int(creator.share * 10_000),
            made_by=actor,
            made_at=_text(now),
        )
        detail = {"code": creator.code, "share": str(creator.share)}
        record(
            opened,
            actor=actor,
            action="creator.keep",
            subject=creator.creator_id,
            detail=detail,
            at=now,
        )
    return creator


def creators(state: State) -> list[Creator]:
    """List the creators, by id."""
    with state.reading() as opened:
        return [_creator(row) for row in opened.all(_SQL["list"])]


def creator_links(
    state: State, links: Links, made: Sequence[Creator], *, now: datetime
) -> dict[str, str]:
    """Give the short link of each creator, whose clicks are counted.

    Args:
        state: The transactional store; a link that was never asked for is kept in it.
        links: The workspace's links.
        made: The creators.
        now: The moment, aware.

    Returns:
        Address by creator_id; where the server has no address of its own (`links.base_url`),
        the page itself, and then no click is counted.
    """
    if not links.base_url:
        return {one.creator_id: one.url for one in made}
    keep(state, [one.url for one in made], now=now)
    long = {one.creator_id: links.click_url(one.url, key_of_link(one.creator_id)) for one in made}
    short = links.shorten(state, long.values(), now=now)
    return {creator_id: short[url] for creator_id, url in long.items()}


def find_creator(state: State, creator_id: str) -> Creator:
    """Give one creator.

    Returns:
        The creator.

    Raises:
        UnknownName: There is none of that id.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["one"], creator_id=creator_id)
    if not rows:
        raise UnknownName("creator", creator_id, [one.creator_id for one in creators(state)])
    return _creator(rows[0])


def payouts(state: State, *, since: datetime, until: datetime) -> list[Payout]:
    """Say what each creator brought in a time and what is due.

    Args:
        state: The transactional store.
        since: First moment of the orders, aware.
        until: First moment no longer looked at; leave out the days an order may still come back.

    Returns:
        One per creator, by id; those without orders too.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["orders"], since=_text(since), until=_text(until))
    by_code = {row["code"]: row for row in rows}
    clicks: dict[str, int] = {}
    for one in counts(state):
        clicks[one.url] = clicks.get(one.url, 0) + one.clicks
    return [_payout(one, by_code.get(normal(one.code)), clicks) for one in creators(state)]


def _payout(one: Creator, row: Mapping[str, Any] | None, clicks: Mapping[str, int]) -> Payout:
    brought = row or {"orders": 0, "customers": 0, "order_cents": 0, "discount_cents": 0}
    sales, discount = int(brought["order_cents"]), int(brought["discount_cents"])
    due = int((sales - discount) * one.share)
    return Payout(
        one,
        clicks.get(one.url, 0),
        int(brought["orders"]),
        int(brought["customers"]),
        Decimal(sales) / 100,
        Decimal(discount) / 100,
        Decimal(due) / 100,
    )


def _check(creator: Creator) -> None:
    if not _ID.fullmatch(creator.creator_id):
        raise InputError(
            f"creator_id is {creator.creator_id!r}, must be 1 to 64 lower-case letters, digits, "
            ". _ or -"
        )
    if creator.kind not in KINDS:
        raise InputError(f"kind is {creator.kind!r}, must be koc or kol")
    if not creator.name.strip() or not creator.platform.strip():
        raise InputError("name and platform must say something")
    if not creator.share.is_finite() or not 0 <= creator.share <= 1 or creator.share * 10_000 % 1:
        raise InputError(f"share is {creator.share}, must be 0 to 1 in steps of 0.0001")
    normal(creator.code)
    checked_url(creator.target)


def _creator(row: Mapping[str, Any]) -> Creator:
    return Creator(
        row["creator_id"],
        row["name"],
        row["kind"],
        row["platform"],
        row["code"],
        row["target"],
        Decimal(row["share_bp"]) / 10_000,
        row["offer_id"],
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
