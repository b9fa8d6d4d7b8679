"""What alerts are judged on: what became of each channel's contacts, turn by turn."""

from ibis import _
from ibis.expr.types import Table as Definition


def channel_counts(contacts: Definition, contact_outcomes: Definition, *, turn: int) -> Definition:
    """Count what became of the contacts of every turn before one, by channel.

    Args:
        contacts: Table of that name.
        contact_outcomes: The fact.
        turn: The turn that looks.

    Returns:
        One row per turn and channel, in that order: turn, channel, sent, failed, delivered,
        opened, opted_out, cost of what was sent. A contact counts once per kind, however often it
        was reported.
    """
    tried = contacts.filter(
        _.turn < turn, _.channel.notnull(), _.fate.isin(["sent", "failed", "unknown"])
    ).select("turn", "channel", "key", "cost", is_sent=_.fate == "sent")
    told = contact_outcomes.group_by(key=_.contact_key).agg(
        delivered=(_.kind == "delivered").any(),
        opened=(_.kind.isin(["opened", "clicked"])).any(),
        opted_out=(_.kind.isin(["opted_out", "complained"])).any(),
        bounced=(_.kind == "bounced").any(),
    )
    joined = tried.left_join(told, "key").drop("key_right")
    lost = ~joined.is_sent | joined.bounced.fill_null(False)
    return (
        joined
        .mutate(is_lost=lost)
        .group_by("turn", "channel")
        .agg(
            sent=_.is_sent.sum(),
            failed=_.is_lost.sum(),
            delivered=(_.is_sent & _.delivered).sum(),
            opened=(_.is_sent & _.opened).sum(),
            opted_out=(_.is_sent & _.opted_out).sum(),
            cost=_.cost.sum(where=_.is_sent).fill_null(0),
        )
        .order_by("turn", "channel")
    )
