"""Tables the consent step needs, defined once for every engine."""

from datetime import datetime

import ibis
from ibis import _
from ibis.expr.types import Table

REFUSALS = ("opted_out", "complained", "bounced")


def holding(consents: Table, now: datetime) -> Table:
    """Leave out grants dated after `now`: they do not hold yet.

    A refusal counts as soon as it is known, whatever its date. A status that is no word of
    ours counts as denied.

    Args:
        consents: One row per change of consent.
        now: Moment of the turn, aware UTC.

    Returns:
        The remaining rows, with their UTC `day`.
    """
    said = consents.mutate(
        status=_.status.cases(("granted", "granted"), ("withdrawn", "withdrawn"), else_="denied"),
        day=_.recorded_at.date().cast("string"),
    )
    return said.filter((_.status != "granted") | (_.recorded_at <= ibis.literal(now)))


def newest_words(words: Table) -> Table:
    """Keep the newest word per customer, purpose and channel.

    Args:
        words: What `holding` gave, or some of its days.

    Returns:
        One row per customer, purpose and channel, ordered by them: customer_id, purpose,
        channel, status, recorded_at, notice_version, evidence.
    """
    rank = _.status.cases(("granted", 0), ("denied", 1), else_=2)
    newest = ibis.window(
        group_by=["customer_id", "purpose", "channel"],
        order_by=[_.recorded_at.desc(), rank.desc(), "status", "notice_version", "evidence"],
    )
    return (
        words
        .mutate(place=ibis.row_number().over(newest))
        .filter(_.place == 0)
        .drop("place", "day")
        .order_by("customer_id", "purpose", "channel")
    )


def refusals(contact_outcomes: Table) -> Table:
    """Keep the receipts that forbid further contact.

    Args:
        contact_outcomes: One row per receipt about a contact.

    Returns:
        One row per opt-out, complaint or bounce, with its UTC `day`.
    """
    forbidding = contact_outcomes.filter(_.kind.isin(REFUSALS))
    return forbidding.mutate(day=_.occurred_at.date().cast("string"))


def latest_refusals(receipts: Table) -> Table:
    """Keep the latest receipt of its kind for each contact.

    Args:
        receipts: What `refusals` gave, or some of its days.

    Returns:
        One row per contact and kind, oldest first: contact_key, customer_id, kind,
        occurred_at.
    """
    return (
        receipts
        .group_by("contact_key", "customer_id", "kind")
        .agg(occurred_at=_.occurred_at.max())
        .order_by("occurred_at", "kind", "contact_key", "customer_id")
    )


def rows_by_day(facts: Table) -> Table:
    """Count the rows of each day; facts are only ever added, so a day that grew has news.

    Args:
        facts: Rows with their `day`.

    Returns:
        One row per day, ordered by it: day, rows.
    """
    return facts.group_by("day").agg(rows=_.count()).order_by("day")
