"""Tables autotune reads: decisions of a turn, and what those customers did afterwards."""

from datetime import date, timedelta

import ibis
from ibis import _
from ibis.expr.types import Table as Definition


def decided(decisions: Definition, profiles: Definition, turn: int) -> Definition:
    """Decisions of one turn beside the profile they were made on.

    Returns:
        One row per customer the rules left open to contact, by customer_id; profile columns
        plus verdict, offer_id, channel, candidates and expected_margin.
    """
    chosen = decisions.filter((_.turn == turn) & (_.candidates != "{}")).select(
        "customer_id", "verdict", "offer_id", "channel", "candidates"
    )
    return (
        profiles.filter(_.turn == turn)
        .inner_join(chosen, "customer_id")
        .order_by("customer_id")
    )


def outcomes(
    orders: Definition, order_lines: Definition, *, as_of: date, window_days: int
) -> Definition:
    """What customers did in the window that starts the day after a turn.

    Returns:
        One row per customer with an order in the window: customer_id, orders,
        coupon_discount (money).
    """
    first, last = as_of + timedelta(days=1), as_of + timedelta(days=window_days)
    inside = lambda table: table.filter(table.business_date.between(first, last))  # noqa: E731
    counted = inside(orders).group_by("customer_id").agg(orders=_.count())
    discounts = (
        inside(order_lines)
        .group_by("customer_id")
        .agg(coupon_discount=_.coupon_discount.sum())
    )
    return (
        counted.left_join(discounts, "customer_id")
        .select(
            "customer_id",
            "orders",
            coupon_discount=ibis.coalesce(_.coupon_discount, ibis.literal(0).cast("decimal(18,2)")),
        )
        .order_by("customer_id")
    )


def opt_outs(
    contacts: Definition, profiles: Definition, contact_outcomes: Definition, turn: int, buckets: int
) -> Definition:
    """Contacts and opt-outs of one turn by channel and earlier contacts.

    Returns:
        One row per channel and bucket: channel, bucket, contacts, opt_outs.
    """
    left = (
        contact_outcomes.filter(_.kind.isin(["opted_out", "complained"]))
        .select("contact_key")
        .distinct()
        .mutate(refused=ibis.literal(1))
    )
    earlier = profiles.filter(_.turn == turn).select("customer_id", "contacts_28d")
    sent = contacts.filter((_.turn == turn) & (_.fate == "sent"))
    return (
        sent.inner_join(earlier, "customer_id")
        .left_join(left, [("key", "contact_key")])
        .mutate(bucket=ibis.least(_.contacts_28d, buckets - 1))
        .group_by("channel", "bucket")
        .agg(contacts=_.count(), opt_outs=ibis.coalesce(_.refused.sum(), 0))
        .order_by("channel", "bucket")
    )


def readouts(effects: Definition) -> Definition:
    """Readable effects on margin of all campaigns of a turn together, by turn."""
    return (
        effects.filter(
            (_.campaign_id == "*") & (_.metric == "margin") & (_.status == "ok") & (_.treated > 0)
        )
        .select("measured_turn", "treated", "estimate", "low", "high", "level", "cost")
        .order_by("measured_turn")
    )
