"""Tables the capability of channels rests on: what came of each contact of each turn."""

import ibis
from ibis import _
from ibis.expr.types import Table as Definition

NEW_DAYS = 30
TRIED = ("sent", "failed")


def contact_results(
    contacts: Definition,
    contact_outcomes: Definition,
    orders: Definition,
    profiles: Definition,
    customer_values: Definition,
    *,
    window_days: int,
) -> Definition:
    """What came of the contacts that were tried, with the stage the customer was in.

    Returns:
        One row per contact: channel, stage, customer_id, sent, reached, engaged, converted (0
        or 1), cost (float).
    """
    told = contact_outcomes.group_by("contact_key").agg(
        bounced=(_.kind == "bounced").any(), engaged=_.kind.isin(["opened", "clicked"]).any()
    )
    known = profiles.select("turn", "customer_id", "as_of", "days_known", "orders")
    valued = customer_values.select("turn", "customer_id", "activity_tier")
    tried = (
        contacts
        .filter(_.fate.isin(TRIED) & _.channel.notnull())
        .select("turn", "key", "customer_id", "channel", "fate", "cost")
        .left_join(told, [("key", "contact_key")])
        .inner_join(known, ["turn", "customer_id"])
        .left_join(valued, ["turn", "customer_id"])
    )
    bought = (
        tried
        .select("turn", "customer_id", "as_of")
        .inner_join(orders.select("customer_id", "business_date"), "customer_id")
        .filter(
            (_.business_date > _.as_of)
            & (_.business_date <= _.as_of + ibis.interval(days=window_days))
        )
        .select("turn", "customer_id")
        .distinct()
        .mutate(bought=True)
    )
    joined = tried.left_join(bought, ["turn", "customer_id"])
    sent = joined.fate == "sent"
    is_new = (joined.days_known <= NEW_DAYS) | (joined.orders <= 1)
    return joined.select(
        "channel",
        "customer_id",
        stage=is_new.ifelse("new", joined.activity_tier.fill_null("unknown")),
        sent=sent.cast("int64"),
        reached=(sent & ~joined.bounced.fill_null(False)).cast("int64"),
        engaged=(sent & joined.engaged.fill_null(False)).cast("int64"),
        converted=(sent & joined.bought.fill_null(False)).cast("int64"),
        cost=sent.ifelse(joined.cost.cast("float64"), ibis.literal(0.0)),
    )


def counted(results: Definition, *by: str) -> Definition:
    """Count results.

    Returns:
        One row per group, in order: the names of `by`, tried, sent, reached, engaged,
        converted, cost.
    """
    return (
        results
        .group_by(*by)
        .agg(
            tried=_.count(),
            sent=_.sent.sum(),
            reached=_.reached.sum(),
            engaged=_.engaged.sum(),
            converted=_.converted.sum(),
            cost=_.cost.sum(),
        )
        .order_by(*by)
    )
