"""Tables of policies: decisions made online, and what their customers paid afterwards."""

from datetime import datetime, timedelta

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.adjust.policies.rewards import DRAWN


def rewarded(
    decisions: Table, orders: Table, *, window_days: int, margin_rate: float, now: datetime
) -> Table:
    """Put beside decisions that were drawn what their customers brought in the window after them.

    Args:
        decisions: Table `online_decisions`, customers by their present ids.
        orders: The fact, customers by their present ids.
        window_days: Days of outcome.
        margin_rate: Margin over money paid.
        now: The moment, aware; decisions whose window ends later are left out.

    Returns:
        One row per customer and turn, the first decision of it, by decision_id: decision_id,
        customer_id, at, verdict, offer_id, channel, propensity, send_propensity, candidates,
        policy_version, and reward: margin on money paid, minus the cost of the contact.
    """
    ended = ibis.literal(now - timedelta(days=window_days))
    first = ibis.row_number().over(group_by=["customer_id", "turn"], order_by=["at", "decision_id"])
    drawn = decisions.filter(_.reason.isin(DRAWN), _.at <= ended).mutate(place=first)
    drawn = drawn.filter(_.place == 0).drop("place")
    paid = orders.select("customer_id", "ordered_at", "total")
    near = drawn.select("decision_id", "customer_id", "at").inner_join(paid, "customer_id")
    near = near.filter(_.ordered_at >= _.at, _.ordered_at < _.at + ibis.interval(days=window_days))
    sums = near.group_by("decision_id").agg(paid=_.total.sum())
    whole = drawn.left_join(sums, "decision_id")
    reward = ibis.coalesce(_.paid.cast("float64"), 0.0) * margin_rate - _.cost.cast("float64")
    return whole.select(
        "decision_id", "customer_id", "at", "verdict", "offer_id", "channel", "propensity",
        "send_propensity", "candidates", "policy_version", reward=reward,
    ).order_by("decision_id")  # fmt: skip
