"""Tables autotune reads: decisions of a turn, and what those customers did afterwards."""

from datetime import date, timedelta

import ibis
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.collect.anomalies.exclusion import without_marked, without_marked_orders


def decided(
    decisions: Definition, profiles: Definition, marked_customers: Definition, turn: int
) -> Definition:
    """Decisions of one turn beside the profile they were made on; programs are left out.

    Returns:
        One row per customer the rules left open to contact, by customer_id; profile columns
        plus verdict, offer_id, channel, candidates and expected_margin.
    """
    groups = decisions.filter((_.turn == turn) & (_.candidates != "{}"))
    people = without_marked(groups.rename(first_turn="turn"), marked_customers)
    chosen = people.select("customer_id", "verdict", "offer_id", "channel", "candidates")
    return profiles.filter(_.turn == turn).inner_join(chosen, "customer_id").order_by("customer_id")


def outcomes(
    orders: Definition,
    redemptions: Definition,
    offers: Definition,
    marked_orders: Definition,
    *,
    as_of: date,
    window_days: int,
) -> Definition:
    """What customers did in the window that starts the day after a turn.

    Only redemptions of the catalogue's own offers count: a maker's coupon costs the retailer
    nothing.

    Returns:
        One row per customer with an order or a redemption in the window: customer_id,
        orders, discount (money).
    """
    first, last = as_of + timedelta(days=1), as_of + timedelta(days=window_days)
    near = orders.filter(_.business_date.between(first, last)).mutate(as_of=ibis.literal(as_of))
    counted = (
        without_marked_orders(near, marked_orders).group_by("customer_id").agg(orders=_.count())
    )
    own = offers.select("offer_id").distinct()
    given = (
        redemptions
        .filter(_.redeemed_on.between(first, last))
        .semi_join(own, [("coupon_id", "offer_id")])
        .group_by("customer_id")
        .agg(discount=_.amount.sum())
    )
    return (
        counted
        .outer_join(given, "customer_id")
        .select(
            customer_id=ibis.coalesce(_.customer_id, _.customer_id_right),
            orders=ibis.coalesce(_.orders, 0),
            discount=ibis.coalesce(_.discount, ibis.literal(0).cast("decimal(18,2)")),
        )
        .order_by("customer_id")
    )


def opt_outs(
    contacts: Definition,
    profiles: Definition,
    contact_outcomes: Definition,
    turn: int,
    buckets: int,
) -> Definition:
    """Contacts and opt-outs of one turn by channel and earlier contacts.

    Returns:
        One row per channel and bucket: channel, bucket, contacts, opt_outs.
    """
    left = (
        contact_outcomes
        .filter(_.kind.isin(["opted_out", "complained"]))
        .select("contact_key")
        .distinct()
        .mutate(refused=ibis.literal(1))
    )
    earlier = profiles.filter(_.turn == turn).select("customer_id", "contacts_28d")
    sent = contacts.filter((_.turn == turn) & (_.fate == "sent"))
    return (
        sent
        .inner_join(earlier, "customer_id")
        .left_join(left, [("key", "contact_key")])
        .mutate(bucket=ibis.least(_.contacts_28d, buckets - 1))
        .group_by("channel", "bucket")
        .agg(contacts=_.count(), opt_outs=ibis.coalesce(_.refused.sum(), 0))
        .order_by("channel", "bucket")
    )


def readouts(effects: Definition) -> Definition:
    """Readable effects on margin of all campaigns of a turn together, by turn."""
    return (
        effects
        .filter(
            (_.campaign_id == "*") & (_.metric == "margin") & (_.status == "ok") & (_.treated > 0)
        )
        .select("measured_turn", "treated", "estimate", "low", "high", "level", "cost")
        .order_by("measured_turn")
    )
