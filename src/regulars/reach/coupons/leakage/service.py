"""The leakage report: the ledger, what tills told in files, and what holdouts measured."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from ibis import _

from regulars.decide.offers.keeping.service import offers_in_force
from regulars.errors import InputError
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.reach.coupons.codes import normal
from regulars.reach.coupons.leakage.finding import Leak, Use, guesses, leaks, needless, told_by_file

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Needless:
    """Discount of one campaign, and how much of it a holdout calls needless.

    Attributes:
        campaign_id: The campaign.
        discount: Money taken off its orders.
        orders: Those orders.
        extra_orders: Orders it brought, measured against its holdout.
        needless: Discount of orders that would have come anyway.
        low: The least it may be, at the level of the interval.
        high: The most.
    """

    campaign_id: str
    discount: Decimal
    orders: int
    extra_orders: float
    needless: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Leakage:
    """What went where no rule wanted it.

    Attributes:
        uses: Codes used in the time looked at, those taken back left out.
        discount: Money they took off.
        leaks: What was used against the rules.
        needless: Discounts to those who would have bought anyway, where a holdout measured it:
            no leak, and not part of it.
        refusals: Codes refused at tills, by reason.
        rows: The rows behind the leaks, by their names.
    """

    uses: int
    discount: Decimal
    leaks: list[Leak]
    needless: list[Needless]
    refusals: dict[str, int]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)


def leakage(
    state: State, *, since: datetime, now: datetime, reader: Reader | None = None
) -> Leakage:
    """Report what leaked.

    Args:
        state: The transactional store.
        since: First moment looked at, aware.
        now: The moment, aware; offers count as they hold now.
        reader: Opens the lake, for what tills told in files and what was measured; None to look
            at the ledger alone.

    Returns:
        The report.
    """
    offers = {one.offer.offer_id: one.offer for one in offers_in_force(state, at=now)}
    with state.reading() as opened:
        uses = [_use(row) for row in opened.all(_SQL["uses"], since=_text(since))]
        refused = opened.all(_SQL["refusals"], since=_text(since))
    if reader is not None:
        uses += _told(state, reader, since, {(use.code, use.order_id) for use in uses})
    found = [*leaks(uses, offers), *guesses(refused)]
    named = {name for one in found for name in one.uses}
    rows = {use.use_id: vars(use) for use in uses if use.use_id in named}
    rows |= {
        f"{one['key']}/{one['code']}": one
        for one in refused
        if f"{one['key']}/{one['code']}" in named
    }
    return Leakage(
        len(uses),
        sum((use.discount for use in uses), Decimal(0)),
        found,
        [] if reader is None else _needless(reader, since),
        dict(sorted(Counter(row["reason"] for row in refused).items())),
        rows,
    )


def _use(row: Mapping[str, Any]) -> Use:
    return Use(
        f"{row['key']}/{row['position']}",
        row["code"],
        row["offer_id"],
        row["customer_id"],
        row["holder_id"],
        row["order_id"],
        datetime.fromisoformat(row["at"]),
        Decimal(row["discount_cents"]) / 100,
        Decimal(row["order_cents"]) / 100,
        datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        row["most_uses"],
    )


def _told(state: State, reader: Reader, since: datetime, known: set[tuple[str, str]]) -> list[Use]:
    """Read uses of our codes that files told and the ledger does not have."""
    table = reader.table("redemptions").filter(_.redeemed_on >= since.date())
    rows = [(code, row) for row in reader.rows(table) if (code := _read(row["coupon_id"]))]
    with state.reading() as opened:
        names = json.dumps(sorted({code for code, _row in rows}))
        codes = {row["code"]: row for row in opened.all(_SQL["codes"], codes=names)}
    rows = [(c, r) for c, r in rows if c in codes and (c, r["order_id"] or "") not in known]
    amounts = _amounts(reader, [row["order_id"] for _code, row in rows if row["order_id"]])
    return [told_by_file(_of_file(codes[code], row, amounts)) for code, row in rows]


def _of_file(
    code: Mapping[str, Any], row: Mapping[str, Any], amounts: Mapping[str, Decimal]
) -> Use:
    order = row["order_id"] or ""
    discount = row["amount"] or Decimal(0)
    paid = amounts.get(order)
    return Use(
        f"file/{row['redemption_id']}/{order}",
        code["code"],
        code["offer_id"],
        row["customer_id"],
        code["customer_id"],
        order,
        datetime.combine(row["redeemed_on"], time(), UTC),
        discount,
        None if paid is None else paid + discount,
        datetime.fromisoformat(code["expires_at"]) if code["expires_at"] else None,
        code["most_uses"],
    )


def _amounts(reader: Reader, orders: Sequence[str]) -> dict[str, Decimal]:
    if not orders:
        return {}
    table = reader.table("orders").filter(_.order_id.isin(sorted(set(orders))))
    return {row["order_id"]: row["total"] for row in reader.rows(table.select("order_id", "total"))}


def _needless(reader: Reader, since: datetime) -> list[Needless]:
    """Set what was taken off by campaign against the orders each brought."""
    used = reader.table("redemptions").filter(
        _.redeemed_on >= since.date(), _.campaign_id.notnull()
    )
    spent = used.group_by("campaign_id").agg(discount=_.amount.sum(), orders=_.order_id.nunique())
    effects = reader.table("effects").filter(_.metric == "orders", _.status == "ok")
    newest = effects.group_by("campaign_id").agg(
        extra=_.estimate.argmax(_.measured_turn),
        low=_.low.argmax(_.measured_turn),
        high=_.high.argmax(_.measured_turn),
    )
    joined = spent.inner_join(newest, "campaign_id").order_by("campaign_id")
    found = []
    for row in reader.rows(joined):
        discount, orders = row["discount"] or Decimal(0), int(row["orders"])
        found.append(
            Needless(
                row["campaign_id"],
                discount,
                orders,
                row["extra"],
                needless(discount, orders, row["extra"]),
                needless(discount, orders, row["high"]),
                needless(discount, orders, row["low"]),
            )
        )
    return found


def _read(code: str) -> str:
    """Read a code of a file; "" for what is none."""
    try:
        return normal(code)
    except InputError:
        return ""


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
