"""Tables the effects of written campaigns rest on: who was assigned, and what was known then."""

from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.measure.effects.tables import BEFORE, VALUES


def campaigns(assignments: Definition, *, as_of: date) -> Definition:
    """Count each campaign's customers, and those whose window has passed.

    Args:
        assignments: Table `campaign_assignments`.
        as_of: Last day whose facts may be read.

    Returns:
        One row per campaign with a customer whose window has passed, by campaign_id: assigned,
        complete, from_day, to_day. The global holdout is not counted: it belongs to no campaign.
    """
    mine = assignments.filter(~_.is_global_holdout, _.business_date <= as_of)
    mine = mine.mutate(until=_.business_date + _.window_days.as_interval("D"))
    is_complete = mine.until <= as_of
    return (
        mine
        .group_by("campaign_id")
        .agg(
            assigned=_.count(),
            complete=_.count(where=is_complete),
            from_day=_.business_date.min(where=is_complete),
            to_day=_.until.max(where=is_complete).cast("date"),
        )
        .filter(_.complete > 0)
        .order_by("campaign_id")
    )


def measured(campaign_effects: Definition, *, turn: int) -> Definition:
    """Count how often earlier turns measured each campaign, and on how many customers last.

    Returns:
        One row per measured campaign, by campaign_id: looks, customers.
    """
    earlier = campaign_effects.filter(_.turn < turn, _.metric == "margin")
    return (
        earlier
        .mutate(customers=_.treated + _.control)
        .group_by("campaign_id")
        .agg(looks=_.count(), customers=_.customers.argmax(_.turn))
        .order_by("campaign_id")
    )


def assigned(assignments: Definition, campaign_id: str, *, as_of: date) -> Definition:
    """Give a campaign's customers whose window has passed.

    Args:
        assignments: Table `campaign_assignments`.
        campaign_id: The campaign.
        as_of: Last day whose facts may be read.

    Returns:
        One row per customer: customer_id, version, is_treated, held (designed share held out of
        those not in the global holdout), as_of (day of assignment), until.
    """
    rows = assignments.filter(
        _.campaign_id == campaign_id, ~_.is_global_holdout, _.business_date <= as_of
    )
    held = rows.group_by("version").agg(left_out=_.propensity.max(where=_.is_campaign_holdout))
    joined = rows.left_join(held, "version").drop("version_right")
    left_out = ibis.coalesce(joined.left_out, 0.0)
    return joined.select(
        "customer_id",
        "version",
        is_treated=~joined.is_campaign_holdout,
        held=left_out / (left_out + joined.send_propensity),
        as_of=joined.business_date,
        until=(joined.business_date + joined.window_days.as_interval("D")).cast("date"),
    ).filter(_.until <= as_of)


def turns_before(groups: Definition, days: Definition) -> Definition:
    """Beside each customer, the last turn that looked before the assignment.

    Args:
        groups: Rows of `assigned`.
        days: Rows of `days_of_turns`.

    Returns:
        The rows of `groups` with first_turn: that turn, 0 when there was none.
    """
    dates = groups.select("as_of").distinct()
    looked = days.select(first_turn=_.turn, looked_on=_.as_of)
    before = (
        dates
        .inner_join(looked, dates.as_of >= looked.looked_on)
        .group_by("as_of")
        .agg(first_turn=_.first_turn.max())
    )
    found = groups.left_join(before, "as_of").drop("as_of_right")
    return found.mutate(first_turn=ibis.coalesce(_.first_turn, 0))


def known_before(
    groups: Definition, profiles: Definition, customer_values: Definition, *, turn: int
) -> Definition:
    """Beside each customer, what was known when they were assigned, and the value now.

    Args:
        groups: Rows of `turns_before`.
        profiles: Table of that name.
        customer_values: Table of that name.
        turn: The turn that measures; its residual value is the value now.

    Returns:
        The rows of `groups` with the columns of `BEFORE` and `VALUES` and value_now; empty for
        customers nobody knew then.
    """
    known = profiles.select("customer_id", *BEFORE, first_turn=_.turn)
    valued = customer_values.select("customer_id", *VALUES, first_turn=_.turn)
    now = customer_values.filter(_.turn == turn).select("customer_id", value_now=_.residual_value)
    return (
        groups
        .left_join(known, ["customer_id", "first_turn"])
        .drop("customer_id_right", "first_turn_right")
        .left_join(valued, ["customer_id", "first_turn"])
        .drop("customer_id_right", "first_turn_right")
        .left_join(now, "customer_id")
        .drop("customer_id_right")
    )
