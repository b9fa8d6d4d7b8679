"""Whose every happening is, as definitions: events and facts in, customers, names, moments out."""

from collections.abc import Collection, Mapping
from datetime import date

import ibis
from ibis import _
from ibis.expr.types import BooleanValue, StringValue, Table

from regulars.numerics.days import EPOCH
from regulars.records.identifiers import TOKEN_STARTS
from regulars.unify.profiles.local_time import local_seconds

COLUMNS = ("customer_id", "name", "at", "day")


def relevant(events: Table, names: Collection[str], *, since: date) -> Table:
    """Keep the events rules ask about.

    Args:
        events: The table `events`.
        names: Names of track events, or types after a `$`.
        since: First day that counts.

    Returns:
        Unmarked events, with the columns user_id and anonymous_id, of which one at most is
        filled, name, at and day (number).
    """
    is_track = (events.type == "track") & events.event.notnull()
    name: StringValue = is_track.ifelse(events.event, ibis.literal("$") + events.type)
    user = events.user_id.nullif("")
    return events.filter(
        events.marks.isnull() & (events.business_date >= since) & name.isin(sorted(names))
    ).select(
        "log_partition",
        "log_sequence",
        user_id=user,
        anonymous_id=user.isnull().ifelse(events.anonymous_id.nullif(""), None),
        name=name,
        at=events.occurred_at,
        day=_number(events.business_date),
    )


def by_login(events: Table) -> Table:
    """Name the customer of events with a login id, which is a customer id.

    Returns:
        Those events: customer_id, name, at, day; ids merged since are still the old ones.
    """
    return events.filter(_is_login(events)).select(
        customer_id=_.user_id, name=_.name, at=_.at, day=_.day
    )


def without_login(events: Table) -> Table:
    """Keep the events whose customer has to be looked up: those of browsers, and of tokens."""
    return events.filter(~_is_login(events))


def by_table(facts: Table, name: str, moment: str, *, zone: str, until: date) -> Table:
    """Give rows of a fact as things that happened.

    Args:
        facts: The table; its customers are ids of the source.
        name: What it is called as a happening.
        moment: Its column with the moment.
        zone: IANA zone days are told in.
        until: A day no row of interest lies after.

    Returns:
        customer_id, name, at, day (number).
    """
    at = facts[moment]
    known = facts.filter(facts.customer_id.notnull() & at.notnull())
    if "business_date" in facts.columns:
        day = _number(known.business_date)
    else:
        day = local_seconds(known[moment], zone, until=until) // 86_400
    return known.select(
        "customer_id", name=ibis.literal(name), at=known[moment], day=day.cast("int64")
    )


def renamed(table: Table, aliases: Mapping[str, str]) -> Table:
    """Name customers by their present ids."""
    if not aliases:
        return table
    merged = ibis.memtable({"old_id": list(aliases), "present_id": list(aliases.values())})
    found = table.left_join(merged, table.customer_id == merged.old_id)
    return found.mutate(customer_id=ibis.coalesce(_.present_id, _.customer_id)).drop(
        "old_id", "present_id"
    )


def present_profiles(profiles: Table, aliases: Mapping[str, str]) -> Table:
    """Give one profile per present customer, though some were merged after the turn.

    Args:
        profiles: Profiles of one turn.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        The profiles: of a customer whose ids had several, his own; where that is missing, the
        one of the lowest id.
    """
    if not aliases:
        return profiles
    merged = ibis.memtable({"old_id": list(aliases), "present_id": list(aliases.values())})
    own = profiles.anti_join(merged, profiles.customer_id == merged.old_id)
    moved = profiles.inner_join(merged, profiles.customer_id == merged.old_id)
    moved = moved.anti_join(own, moved.present_id == own.customer_id)
    first = moved.group_by(first_of=moved.present_id).agg(first_id=moved.customer_id.min())
    moved = moved.semi_join(
        first, (moved.present_id == first.first_of) & (moved.customer_id == first.first_id)
    )
    moved = moved.mutate(customer_id=moved.present_id).select(*profiles.columns)
    return own.select(*profiles.columns).union(moved)


def _is_login(events: Table) -> BooleanValue:
    user = events.user_id
    is_token = ibis.or_(*(user.startswith(start) for start in TOKEN_STARTS))
    found: BooleanValue = ibis.coalesce(user.notnull() & ~is_token, False)
    return found


def _number(day: Table) -> ibis.expr.types.IntegerValue:
    return day.delta(ibis.date(EPOCH.year, EPOCH.month, EPOCH.day), unit="day").cast("int64")
