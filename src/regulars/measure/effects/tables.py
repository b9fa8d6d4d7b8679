"""Tables the effects rest on: who was compared with whom, and what they did in the window."""

from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.collect.anomalies.exclusion import without_marked_orders

BEFORE = ("monetary", "monetary_30d", "monetary_90d", "weekly_orders", "orders_90d", "days_known",
          "recency_days", "basket_size")  # fmt: skip
VALUES = ("expected_spend", "residual_value")


def days_of_turns(profiles: Definition, turn: int) -> Definition:
    """The last day each turn looked at.

    Returns:
        One row per turn up to this one, by turn: turn, as_of.
    """
    return (
        profiles.filter(_.turn <= turn).group_by("turn").agg(as_of=_.as_of.max()).order_by("turn")
    )


def measured_turns(effects: Definition, turn: int) -> Definition:
    """The turns that earlier turns have measured.

    Returns:
        One row per measured turn, by turn: measured_turn.
    """
    earlier = effects.filter(_.turn < turn)
    return earlier.select("measured_turn").distinct().order_by("measured_turn")


def campaign_groups(decisions: Definition, contacts: Definition, turn: int) -> Definition:
    """Customers a campaign of one turn chose: contacted, and held out for comparison.

    Intention to treat: who was decided to be sent to counts as treated, whatever became of
    the contact, because the fate of a contact is not random.

    Returns:
        One row per chosen customer: customer_id, first_turn, campaign_id, is_treated,
        expected_margin, cost (money of the contact).
    """
    spent = contacts.filter(_.turn == turn).select("customer_id", spent=_.cost)
    chosen = decisions.filter(
        (_.turn == turn)
        & _.campaign_id.notnull()
        & ~_.is_global_holdout
        & ((_.verdict == "send") | ((_.verdict == "holdout") & _.is_campaign_holdout))
    ).select(
        "customer_id",
        "campaign_id",
        "expected_margin",
        first_turn=_.turn,
        is_treated=_.verdict == "send",
    )
    return chosen.left_join(spent, "customer_id").select(
        "customer_id",
        "first_turn",
        "campaign_id",
        "is_treated",
        "expected_margin",
        cost=ibis.coalesce(_.spent, _money_zero()),
    )


def programme_groups(decisions: Definition, last_turn: int) -> Definition:
    """Every customer the programme ever counted, from the first turn they were in.

    Returns:
        One row per customer: customer_id, first_turn, is_treated (false in the global holdout).
    """
    return (
        decisions
        .filter(_.turn <= last_turn)
        .group_by("customer_id")
        .agg(first_turn=_.turn.min(), held=_.is_global_holdout.argmin(_.turn))
        .select("customer_id", "first_turn", is_treated=~_.held)
    )


def bought(
    orders: Definition,
    order_lines: Definition,
    products: Definition,
    *,
    windows: Definition,
    marked_orders: Definition,
    first_day: date,
    last_day: date,
) -> Definition:
    """What customers bought, each in a window of their own.

    Args:
        orders: The fact.
        order_lines: The fact.
        products: The fact; its unit cost stands in for lines without a cost.
        windows: One row per customer: customer_id, as_of (buying counts from the day after),
            until (the last day that counts).
        marked_orders: Table of that name; orders of programs do not count.
        first_day: Earliest day any customer's window holds.
        last_day: Latest day any customer's window holds.

    Returns:
        One row per customer who bought: customer_id, orders, sales, known_margin (of lines
        whose cost is known), uncosted_sales (of the other lines).
    """
    span = _.business_date.between(first_day, last_day)

    def in_window(rows: Definition) -> Definition:
        near = rows.filter(span).inner_join(windows, "customer_id")
        mine = (near.business_date > near.as_of) & (near.business_date <= near.until)
        return without_marked_orders(near.filter(mine), marked_orders)

    counted = in_window(orders).group_by("customer_id").agg(orders=_.count())
    unit_costs = products.filter(_.unit_cost.notnull()).select("product_id", "unit_cost")
    lines = (
        in_window(order_lines)
        .left_join(unit_costs, "product_id")
        .select("customer_id", "sales", spent=ibis.coalesce(_.cost, _.quantity * _.unit_cost))
        .group_by("customer_id")
        .agg(
            sales=_.sales.sum(),
            known_margin=(_.sales - _.spent).sum(where=_.spent.notnull()),
            uncosted_sales=_.sales.sum(where=_.spent.isnull()),
        )
    )
    return counted.left_join(lines, "customer_id").select(
        "customer_id",
        "orders",
        **{name: ibis.coalesce(lines[name], 0) for name in lines.columns[1:]},
    )


def compared(
    groups: Definition, profiles: Definition, customer_values: Definition, *, turn: int
) -> Definition:
    """Beside each customer of a comparison, what was known when it began, and the value now.

    Args:
        groups: One row per customer: customer_id, first_turn, is_treated and more.
        profiles: Table of that name.
        customer_values: Table of that name.
        turn: The turn that measures; its residual value is the value now.

    Returns:
        The rows of `groups` with as_of, the profile columns of `BEFORE`, the columns of
        `VALUES`, value_now (empty when the customer has none).
    """
    known = profiles.select("customer_id", "as_of", *BEFORE, first_turn=_.turn)
    valued = customer_values.select("customer_id", *VALUES, first_turn=_.turn)
    now = customer_values.filter(_.turn == turn).select("customer_id", value_now=_.residual_value)
    return (
        groups
        .inner_join(known, ["customer_id", "first_turn"])
        .left_join(valued, ["customer_id", "first_turn"])
        .drop("customer_id_right", "first_turn_right")
        .left_join(now, "customer_id")
        .drop("customer_id_right")
    )


def outcomes(compared_customers: Definition, purchases: Definition) -> Definition:
    """Beside each compared customer, what they bought in their window.

    Args:
        compared_customers: Rows of `compared`.
        purchases: Rows of `bought`.

    Returns:
        One row per customer, by customer_id; customers who bought nothing have empty
        orders, sales, known_margin and uncosted_sales.
    """
    return (
        compared_customers
        .left_join(purchases, "customer_id")
        .drop("customer_id_right")
        .order_by("customer_id")
    )


def _money_zero() -> ibis.expr.types.Scalar:
    return ibis.literal(0).cast("decimal(18,2)")
