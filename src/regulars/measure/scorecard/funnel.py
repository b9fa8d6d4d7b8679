"""The funnel of a shop: acquisition, activation, retention, referral, revenue."""

from collections.abc import Mapping

import ibis
from ibis import _
from ibis.expr.types import BooleanValue, DateValue, NumericValue, Table

from regulars.measure.scorecard.definition import Drawn, Indicator, Period, Stage, Unit, share

Facts = Mapping[str, Table]


def within(day: DateValue, period: Period) -> BooleanValue:
    """Tell whether a day lies in a period."""
    found: BooleanValue = day.between(_literal(period.first), _literal(period.last))
    return found


def summed(
    rows: Table, *, amount: NumericValue, weight: NumericValue | int = 0, order_id: bool = False
) -> Table:
    """Give rows the columns every indicator has.

    Args:
        rows: One row per customer or order: customer_id, day, and order_id if said so.
        amount: What a row adds to the numerator.
        weight: What it adds to the denominator.
        order_id: True where the rows are orders.

    Returns:
        customer_id, order_id (empty where rows are customers), day, amount, weight.
    """
    order = rows.order_id.cast("string") if order_id else ibis.null("string")
    return rows.select(
        customer_id=rows.customer_id.cast("string"),
        order_id=order,
        day=rows.day.cast("date"),
        amount=amount.cast("decimal(38, 4)"),
        weight=(ibis.literal(weight) if isinstance(weight, int) else weight).cast("int64"),
    )


def known_days(facts: Facts, *, with_orders: bool) -> Table:
    """Give the first day each customer is known: joined, visited, or ordered if asked for."""
    parts = []
    if "customers" in facts:
        joined = facts["customers"].filter(_.joined_on.notnull())
        parts.append(joined.select("customer_id", day=_.joined_on))
    if "visits" in facts:
        came = facts["visits"].filter(_.customer_id.notnull())
        parts.append(came.select("customer_id", day=_.business_date))
    if with_orders or not parts:
        bought = facts["orders"]
        bought = bought if with_orders else bought.filter(ibis.literal(False))
        parts.append(bought.select("customer_id", day=_.business_date))
    together = parts[0]
    for part in parts[1:]:
        together = together.union(part)
    return together.group_by("customer_id").agg(day=_.day.cast("date").min())


def _new_customers(facts: Facts, period: Period) -> Table:
    known = known_days(facts, with_orders=True).filter(within(_.day, period))
    return summed(known, amount=ibis.literal(1))


def _activated(facts: Facts, period: Period) -> Table:
    """A cohort is known in the period before, and not by an order."""
    came = known_days(facts, with_orders=False).filter(within(_.day, period.back()))
    first = _first_orders(facts)
    both = came.left_join(first, "customer_id").drop("customer_id_right")
    fresh = both.filter(both.first_day.isnull() | (both.first_day >= both.day))
    bought = ibis.coalesce(fresh.first_day <= _literal(period.last), False)
    return summed(fresh, amount=bought.cast("int64"), weight=1)


def _second_order(facts: Facts, period: Period) -> Table:
    first = _first_orders(facts).filter(within(_.first_day, period.back()))
    until = facts["orders"].filter(_.business_date <= _literal(period.last))
    counts = until.group_by("customer_id").agg(orders=_.order_id.nunique())
    both = first.inner_join(counts, "customer_id").mutate(day=_.first_day)
    return summed(both, amount=(both.orders >= 2).cast("int64"), weight=1)


def _active(facts: Facts, period: Period) -> Table:
    return summed(_buyers(facts, period), amount=ibis.literal(1))


def _retained(facts: Facts, period: Period) -> Table:
    before, now = _buyers(facts, period.back()), _buyers(facts, period)
    now = now.select(again="customer_id")
    both = before.left_join(now, before.customer_id == now.again)
    return summed(both, amount=both.again.notnull().cast("int64"), weight=1)


def _referred(facts: Facts, period: Period) -> Table:
    told = facts["referrals"].filter(within(_.told_on, period), _.state != "refused")
    return summed(told.mutate(customer_id=_.friend_id, day=_.told_on), amount=ibis.literal(1))


def _referred_share(facts: Facts, period: Period) -> Table:
    new = known_days(facts, with_orders=True).filter(within(_.day, period))
    told = facts["referrals"].filter(_.told_on <= _literal(period.last), _.state != "refused")
    told = told.select("friend_id").distinct()
    both = new.left_join(told, new.customer_id == told.friend_id)
    return summed(both, amount=both.friend_id.notnull().cast("int64"), weight=1)


def _revenue(facts: Facts, period: Period) -> Table:
    """One row per order (weight 1), and one per returned line, which counts against it."""
    paid = _paid(facts, period)
    sold = summed(paid, amount=paid.total, weight=1, order_id=True)
    if "returns" not in facts:
        return sold
    back = facts["returns"].filter(within(_.business_date, period)).mutate(day=_.business_date)
    return sold.union(summed(back, amount=-back.refund, order_id=True))


def _revenue_per_customer(facts: Facts, period: Period) -> Table:
    """One row per customer; who only returned something counts in the numerator alone."""
    rows = _revenue(facts, period)
    per = rows.group_by("customer_id").agg(
        total=_.amount.sum(), day=_.day.min(), orders=_.weight.sum()
    )
    return summed(per, amount=per.total, weight=(per.orders > 0).cast("int64"))


def _paid(facts: Facts, period: Period) -> Table:
    return facts["orders"].filter(within(_.business_date, period)).mutate(day=_.business_date)


def _buyers(facts: Facts, period: Period) -> Table:
    return _paid(facts, period).group_by("customer_id").agg(day=_.day.min())


def _first_orders(facts: Facts) -> Table:
    return facts["orders"].group_by("customer_id").agg(first_day=_.business_date.min())


def _literal(day: object) -> DateValue:
    found: DateValue = ibis.literal(day, type="date")
    return found


_MONEY, _COUNT = Unit.MONEY, Unit.CUSTOMERS
_ORDERS, _TOLD = ("orders",), ("referrals",)

FUNNEL = (
    Indicator("new_customers", Stage.ACQUISITION, _COUNT, _ORDERS, _new_customers, looks_back=1),
    share("activated_share", Stage.ACTIVATION, _activated),
    share("second_order_share", Stage.ACTIVATION, _second_order, looks_back=2),
    Indicator("active_customers", Stage.RETENTION, _COUNT, _ORDERS, _active),
    share("retained_share", Stage.RETENTION, _retained, looks_back=1),
    Indicator("referred_customers", Stage.REFERRAL, _COUNT, _TOLD, _referred),
    share("referred_share", Stage.REFERRAL, _referred_share, sources=_ORDERS + _TOLD, looks_back=1),
    Indicator("revenue", Stage.REVENUE, _MONEY, _ORDERS, _revenue),
    Indicator(
        "revenue_per_customer",
        Stage.REVENUE,
        _MONEY,
        _ORDERS,
        _revenue_per_customer,
        is_ratio=True,
        drawn=Drawn.ROWS,
    ),
)
