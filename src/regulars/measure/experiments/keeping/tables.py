"""Tables of kept experiments: what each customer did since they took part, and before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.collect.anomalies.exclusion import without_marked_orders

FACTS: Mapping[str, tuple[str, ...]] = {
    "orders": ("order_id", "customer_id", "business_date", "total"),
    "order_lines": (
        "order_id", "line_id", "customer_id", "product_id", "business_date", "quantity", "sales",
        "cost",
    ),
    "returns": ("customer_id", "business_date", "refund"),
}  # fmt: skip
"""Facts the metrics are counted on, and the columns they need."""


@dataclass(frozen=True)
class Span:
    """Days that count.

    Attributes:
        past_from: First day of the past.
        past_to: Last day of it, before anybody took part.
        until: Last day of outcomes.
    """

    past_from: date
    past_to: date
    until: date


def customer_rows(
    exposed: Table, facts: Mapping[str, Table], span: Span, *, margin_rate: float
) -> Table:
    """Give, per customer of an experiment, everything its metrics name.

    Outcomes count from the day a customer took part to the last day; whoever did nothing has 0.

    Args:
        exposed: One row per customer: customer_id, variant, first_day.
        facts: The tables of `FACTS`, customers by their present ids; `products`, whose unit cost
            stands in for lines without a cost; `marked_orders`, orders of programs, which do not
            count.
        span: Days that count.
        margin_rate: Margin over sales where no cost is known, 0 to 1.

    Returns:
        One row per customer: customer_id, variant, is_buyer, was_buyer, orders, sales, margin,
        refunds, and each of these with `_before`.
    """
    own = exposed.mutate(as_of=_.first_day - ibis.interval(days=1))
    bought = _marked_off(_near(facts["orders"], own, span), facts)
    lines = _marked_off(_near(facts["order_lines"], own, span), facts)
    unit_costs = facts["products"].select("product_id", "unit_cost")
    lines = lines.left_join(unit_costs, "product_id").mutate(
        earned=ibis.coalesce(
            (_.sales - ibis.coalesce(_.cost, _.quantity * _.unit_cost)).cast("float64"),
            _.sales.cast("float64") * ibis.literal(margin_rate, "float64"),
        )
    )
    parts = [
        _summed(bought, orders=ibis.literal(1.0), sales=_.total.cast("float64")),
        _summed(lines, margin=_.earned),
        _summed(_near(facts["returns"], own, span), refunds=_.refund.cast("float64")),
    ]
    found = exposed.select("customer_id", "variant")
    for part in parts:
        found = found.left_join(part, "customer_id").drop("customer_id_right")
    counted = [name for name in found.columns if name not in {"customer_id", "variant"}]
    found = found.mutate(**{name: _[name].fill_null(0.0) for name in counted})
    return found.mutate(
        is_buyer=(_.orders > 0).cast("float64"), was_buyer=(_.orders_before > 0).cast("float64")
    ).order_by("customer_id")


def active_customers(orders: Table, visits: Table, *, from_day: date, to_day: date) -> Table:
    """Give the customers who bought or came in a span of days.

    Args:
        orders: The fact.
        visits: The fact.
        from_day: First day.
        to_day: Last day.

    Returns:
        One row per customer: customer_id.
    """
    came = [
        table.filter(_.customer_id.notnull(), _.business_date.between(from_day, to_day)).select(
            "customer_id"
        )
        for table in (orders, visits)
    ]
    return came[0].union(came[1]).distinct()


def leaked(contacts: Table, exposed: Table, *, offers: tuple[str, ...], control: str) -> Table:
    """Give customers of control who were sent an offer that is kept from them.

    Args:
        contacts: Table of that name, customers by their present ids.
        exposed: One row per customer: customer_id, variant, since (aware moment).
        offers: The offers kept from control.
        control: Name of the control variant.

    Returns:
        One row per such customer: customer_id.
    """
    mine = exposed.filter(_.variant == control)
    sent = contacts.filter(_.fate == "sent", _.at.notnull(), _.offer_id.isin(offers))
    near = sent.inner_join(mine, "customer_id")
    return near.filter(_.at >= _.since).select("customer_id").distinct()


def _near(fact: Table, own: Table, span: Span) -> Table:
    days = _.business_date.between(span.past_from, span.until)
    near = fact.filter(days).inner_join(own.drop("variant"), "customer_id")
    return near.mutate(
        is_after=_.business_date >= _.first_day,
        is_before=_.business_date.between(span.past_from, span.past_to),
    )


def _marked_off(rows: Table, facts: Mapping[str, Table]) -> Table:
    return without_marked_orders(rows, facts["marked_orders"])


def _summed(rows: Table, **columns: ibis.Deferred | ibis.Value) -> Table:
    valued = rows.mutate(**{f"own_{name}": column for name, column in columns.items()})
    sums = {
        name + end: _[f"own_{name}"].sum(where=_[flag]).fill_null(0.0)
        for name in columns
        for flag, end in (("is_after", ""), ("is_before", "_before"))
    }
    return valued.group_by("customer_id").agg(**sums)
