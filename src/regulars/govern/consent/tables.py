"""Tables the consent step needs, defined once for every engine."""

from datetime import datetime

import ibis
from ibis import _
from ibis.expr.types import Table

REFUSALS = ("opted_out", "complained", "bounced")


def newest_consents(consents: Table, now: datetime) -> Table:
    """Keep the newest word per customer, purpose and channel.

    A grant dated after `now` is left out: it does not hold yet. A refusal counts as soon as
    it is known, whatever its date. A status that is no word of ours counts as denied.

    Args:
        consents: One row per change of consent.
        now: Moment of the turn, aware UTC.

    Returns:
        One row per customer, purpose and channel, ordered by them: customer_id, purpose,
        channel, status, recorded_at, notice_version, evidence.
    """
    rank = _.status.cases(("granted", 0), ("denied", 1), else_=2)
    newest = ibis.window(
        group_by=["customer_id", "purpose", "channel"],
        order_by=[_.recorded_at.desc(), rank.desc(), "status", "notice_version", "evidence"],
    )
    said = consents.mutate(
        status=_.status.cases(("granted", "granted"), ("withdrawn", "withdrawn"), else_="denied")
    )
    return (
        said
        .filter((_.status != "granted") | (_.recorded_at <= ibis.literal(now)))
        .mutate(place=ibis.row_number().over(newest))
        .filter(_.place == 0)
        .drop("place")
        .order_by("customer_id", "purpose", "channel")
    )


def refusals(contact_outcomes: Table) -> Table:
    """Keep the receipts that forbid further contact.

    Args:
        contact_outcomes: One row per receipt about a contact.

    Returns:
        One row per opt-out, complaint or bounce, oldest first: contact_key, customer_id,
        kind, occurred_at (the latest of its kind for the contact).
    """
    return (
        contact_outcomes
        .filter(_.kind.isin(REFUSALS))
        .group_by("contact_key", "customer_id", "kind")
        .agg(occurred_at=_.occurred_at.max())
        .order_by("occurred_at", "kind", "contact_key", "customer_id")
    )
