"""An offer: what a customer gets, on what, when, how often, and what must be left of the margin."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from regulars.errors import InputError

Kind = Literal["percent", "amount", "threshold", "gift", "free_shipping", "points", "news"]

KINDS = ("percent", "amount", "threshold", "gift", "free_shipping", "points", "news")
_FAMILY_BY_KIND = {"percent": "percent_off", "amount": "money_off", "threshold": "money_off"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CENT = Decimal("0.01")


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a threshold: spend so much, get so much off.

    Attributes:
        spend: Money the products in scope must come to, > 0.
        off: Money taken off, > 0 and at most `spend`.
    """

    spend: Decimal
    off: Decimal


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an offer is good for; an empty list means everything.

    Attributes:
        categories: Categories of products.
        products: Products; with `categories` either will do.
        not_products: Products it is never good for.
        stores: Stores.
        sales_channels: Where the order is placed, such as web or store.
    """

    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    not_products: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    sales_channels: tuple[str, ...] = ()


class Stacking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an offer goes with others on one order.

    Attributes:
        group: Of the offers of one group an order gets one; "" for no group.
        is_exclusive: True when it stands alone.
        stage: Offers of a lower stage are taken off first; those of one stage count from the
            same prices, so that their order cannot matter. 0 to 9.
    """

    group: str = ""
    is_exclusive: bool = False
    stage: int = 5


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of an offer; money in the currency of the workspace.

    Attributes:
        offer_id: 1 to 64 letters, digits, dots, dashes.
        name: How marketers call it.
        kind: percent, amount, threshold (满减), gift, free_shipping, points, or news for nothing
            off.
        family: Offers that work alike; by its kind when left out.
        share: Share taken off, 0 to 1; of percent.
        amount: Money taken off; of amount.
        steps: What is taken off from which sum on, of threshold; the highest reached counts.
        repeats: True when the only step of a threshold counts once per full sum: 每满.
        gift: Product given, and `gift_cost` what it costs us; of gift.
        gift_cost: Money.
        multiplier: Points times this, > 1; of points.
        point_cost: What the points on one unit of money cost us, 0 to 1.
        most: Most money taken off; None for no limit.
        min_order: Smallest sum of the products in scope it is good for.
        planned_cost: What finance sets aside per contact.
        margin_floor: Least share of an order's value left as margin, 0 to 1.
        when_below_floor: "refuse" the offer, or "trim" it to what the floor leaves.
        channels: Channels of contact it may use; empty for all.
        starts_on: First day it runs; None for always.
        ends_on: Last day it runs.
        zone: IANA zone its days are of.
        valid_days: Days a code is good for after it was given; None until the offer ends.
        limit_per_customer: Codes a customer is given, and times he uses the offer; None for any.
        stock: Times it may be given in all; None for unlimited.
        scope: What it is good for.
        stacking: How it goes with others.
        when_unknown: What becomes of the code of a contact nobody knows of: "keep" it for its
            customer, or "give_back": it is void and the offer may be given to somebody else.
    """

    offer_id: str
    name: str
    kind: Kind
    family: str = ""
    share: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    steps: tuple[Step, ...] = ()
    repeats: bool = False
    gift: str = ""
    gift_cost: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    point_cost: Decimal = Decimal(0)
    most: Decimal | None = None
    min_order: Decimal = Decimal(0)
    planned_cost: Decimal = Decimal(0)
    margin_floor: Decimal = Decimal(0)
    when_below_floor: Literal["refuse", "trim"] = "refuse"
    channels: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    zone: str = "UTC"
    valid_days: int | None = None
    limit_per_customer: int | None = None
    stock: int | None = None
    scope: Scope = Scope()
    stacking: Stacking = Stacking()
    when_unknown: Literal["keep", "give_back"] = "keep"

    def starts_at(self) -> datetime | None:
        """Give the moment it starts, aware UTC; None for always."""
        return _midnight(self.starts_on, self.zone)

    def ends_at(self) -> datetime | None:
        """Give the first moment it no longer runs, aware UTC; None for never."""
        return _midnight(self.ends_on + timedelta(days=1), self.zone) if self.ends_on else None

    def runs_at(self, now: datetime) -> bool:
        """Tell whether it runs at a moment.

        Returns:
            False before its first day and after its last.

        Example:
            >>> day = Offer(offer_id="a", name="a", kind="news", ends_on=date(2026, 3, 1))
            >>> day.runs_at(datetime(2026, 3, 1, 23, tzinfo=UTC))
            True
        """
        starts, ends = self.starts_at(), self.ends_at()
        return (starts is None or now >= starts) and (ends is None or now < ends)

    def code_ends_at(self, issued: datetime) -> datetime | None:
        """Give the first moment a code given now is no longer good; None for never."""
        ends = [self.ends_at()]
        if self.valid_days is not None:
            day = issued.astimezone(ZoneInfo(self.zone)).date() + timedelta(
                days=self.valid_days + 1
            )
            ends.append(_midnight(day, self.zone))
        known = [moment for moment in ends if moment is not None]
        return min(known) if known else None


def offer_from(given: Mapping[str, Any], where: str) -> Offer:
    """Read an offer from what TOML or JSON held.

    Args:
        given: Its parts, named as the attributes of `Offer`.
        where: What it is, for messages.

    Returns:
        The offer, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.

    Example:
        >>> ten = {"offer_id": "ten", "name": "10 % off", "kind": "percent", "share": "0.1"}
        >>> offer_from(ten, "ten").family
        'percent_off'
    """
    try:
        offer = msgspec.convert(_exact(given), Offer, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}; see docs/how-to/offers-and-coupons.md") from error
    wrong = _fault(offer)
    if wrong:
        raise InputError(f"{where}: {wrong}")
    family = offer.family or _FAMILY_BY_KIND.get(offer.kind, offer.kind)
    return msgspec.structs.replace(offer, family=family)


def read_offers(file: Path, *, zone: str) -> list[Offer]:
    """Read a TOML file with one table per offer, named by its id.

    Args:
        file: The file.
        zone: IANA zone of offers that name none.

    Returns:
        The offers, in the order of the file.

    Raises:
        InputError: The file is no TOML, or an offer cannot be used.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} is no TOML: {error}") from error
    odd = [name for name, part in found.items() if not isinstance(part, dict)]
    if odd:
        raise InputError(f"{file.name}: {odd[0]} is no table; write [offer-id], then its parts")
    return [
        offer_from({"offer_id": name, "zone": zone} | part, f"{file.name}: {name}")
        for name, part in found.items()
    ]


def as_row(offer: Offer) -> dict[str, Any]:
    """Give an offer as a row of the table `offers`, which the loop decides by.

    Returns:
        The columns of the table; a threshold counts as its first step.

    Example:
        >>> ten = Offer(offer_id="ten", name="10 %", kind="percent", share=Decimal("0.1"))
        >>> as_row(ten)["discount_share"]
        0.1
    """
    step = min(offer.steps, key=lambda one: one.spend, default=Step(Decimal(0), Decimal(0)))
    off = {"amount": offer.amount, "threshold": step.off, "gift": offer.gift_cost}
    return {
        "offer_id": offer.offer_id,
        "name": offer.name,
        "family": offer.family or _FAMILY_BY_KIND.get(offer.kind, offer.kind),
        "discount_share": float(offer.share) or None,
        "discount_amount": off.get(offer.kind) or None,
        "min_order": max(offer.min_order, step.spend) or None,
        "planned_cost": offer.planned_cost,
        "margin_floor": float(offer.margin_floor),
        "channels": " ".join(offer.channels) or None,
        "stock": offer.stock,
        "starts_on": offer.starts_on,
        "ends_on": offer.ends_on,
    }


def offer_of_row(row: Mapping[str, Any], *, zone: str) -> Offer:
    """Read an offer from a row of the table `offers`, as offers.csv gave it.

    Args:
        row: The row.
        zone: IANA zone of the workspace.

    Returns:
        The offer.

    Example:
        >>> row = {"offer_id": "a", "name": "a", "family": "f", "planned_cost": Decimal(1)}
        >>> row |= {"margin_floor": 0.1, "discount_amount": Decimal(5)}
        >>> offer_of_row(row, zone="UTC").kind
        'amount'
    """
    share, amount = row.get("discount_share") or 0, row.get("discount_amount") or 0
    given = {
        "offer_id": row["offer_id"],
        "name": row.get("name") or row["offer_id"],
        "family": row.get("family") or "",
        "kind": "percent" if share else "amount" if amount else "news",
        "share": share,
        "amount": 0 if share else amount,
        "min_order": row.get("min_order") or 0,
        "planned_cost": row["planned_cost"],
        "margin_floor": row["margin_floor"],
        "channels": (row.get("channels") or "").split(),
        "stock": row.get("stock"),
        "starts_on": row.get("starts_on"),
        "ends_on": row.get("ends_on"),
        "zone": zone,
    }
    return offer_from(given, f"offer {row['offer_id']}")


def _exact(value: Any) -> Any:
    """Write numbers as text, so that 0.1 is a tenth and not what is nearest to it."""
    if isinstance(value, Mapping):
        return {name: _exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(part) for part in value]
    return str(value) if isinstance(value, float | Decimal) else value


def _fault(offer: Offer) -> str:
    """Say what is wrong with an offer; "" when nothing is."""
    checks = (_named, _dated, _of_its_kind, _counted)
    return next((wrong for check in checks if (wrong := check(offer))), "")


def _named(offer: Offer) -> str:
    if not _ID.fullmatch(offer.offer_id):
        return f"offer_id is {offer.offer_id!r}, must be 1 to 64 letters, digits, . _ or -"
    return "" if offer.name.strip() else "name is empty; say how marketers call it"


def _dated(offer: Offer) -> str:
    try:
        ZoneInfo(offer.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return f"zone is {offer.zone!r}, must be an IANA zone such as Asia/Shanghai"
    if offer.starts_on and offer.ends_on and offer.ends_on < offer.starts_on:
        return f"ends_on is {offer.ends_on}, before starts_on {offer.starts_on}"
    return ""


def _of_its_kind(offer: Offer) -> str:
    if offer.kind == "percent" and not 0 < offer.share <= 1:
        return f"share is {offer.share}, must be above 0 and at most 1: 0.1 takes a tenth off"
    if offer.kind == "amount" and offer.amount <= 0:
        return f"amount is {offer.amount}, must be above 0"
    if offer.kind == "gift" and not offer.gift:
        return "gift is empty; name the product that is given"
    if offer.kind == "points" and offer.multiplier <= 1:
        return f"multiplier is {offer.multiplier}, must be above 1: 2 doubles the points"
    if offer.kind != "threshold":
        return "steps are for kind threshold only" if offer.steps else ""
    return _stepped(offer)


def _stepped(offer: Offer) -> str:
    if not offer.steps:
        return "steps are missing; write steps = [{ spend = 300, off = 40 }]"
    if offer.repeats and len(offer.steps) > 1:
        return f"repeats goes with one step, there are {len(offer.steps)}"
    odd = [one for one in offer.steps if not 0 < one.off <= one.spend]
    if odd:
        return f"a step takes {odd[0].off} off {odd[0].spend}, must be above 0 and at most the sum"
    ordered = sorted(offer.steps, key=lambda one: one.spend)
    falls = [b for a, b in zip(ordered, ordered[1:], strict=False) if b.off <= a.off]
    return f"the step from {falls[0].spend} takes off no more than the one below" if falls else ""


def _counted(offer: Offer) -> str:
    money = ("amount", "gift_cost", "min_order", "planned_cost")
    for name in money:
        value = getattr(offer, name)
        if value < 0 or value != value.quantize(_CENT):
            return f"{name} is {value}, must be 0 or more, in whole cents"
    for name in ("valid_days", "limit_per_customer", "stock"):
        value = getattr(offer, name)
        if value is not None and value < (1 if name == "limit_per_customer" else 0):
            return f"{name} is {value}, must be a count"
    if not 0 <= offer.margin_floor <= 1 or not 0 <= offer.point_cost <= 1:
        return "margin_floor and point_cost are shares from 0 to 1"
    if offer.most is not None and offer.most <= 0:
        return f"most is {offer.most}, must be above 0; leave it out for no limit"
    return "" if 0 <= offer.stacking.stage <= 9 else "stacking.stage must be from 0 to 9"


def _midnight(day: date | None, zone: str) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
