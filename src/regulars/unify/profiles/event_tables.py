"""What events say of customers, as definitions: days of activity, counts, and what was told."""

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import ArrayValue, IntegerValue, StringValue, Table

from regulars.numerics.days import EPOCH
from regulars.unify.profiles.declared.static_tags import (
    MOST_LETTERS,
    PATHS,
    STATIC_TAGS,
    TEXT_TYPES,
)
from regulars.unify.profiles.declared.visits import ACTIVE_TYPES, COUNTED
from regulars.unify.profiles.local_time import local_seconds


def _builtin(fn: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Name a function DuckDB has and Ibis does not; it takes what `fn` is annotated with."""
    named: Callable[..., Any] = ibis.udf.scalar.builtin(fn, name=name)
    return named


def _texts_at(payload: str, paths: list[str]) -> list[str]:
    return [payload, *paths]


def _ones(bits: int) -> int:
    return bits


_texts = _builtin(_texts_at, "json_extract_string")
_types = _builtin(_texts_at, "json_type")
_bit_count = _builtin(_ones, "bit_count")


def identifiers(events: Table) -> Table:
    """Give the strongest identifier of every event, each once.

    Args:
        events: The table `events`.

    Returns:
        Columns user_id and anonymous_id, one of which is empty.
    """
    found = _with_identifier(events).select("user_id", "anonymous_id")
    return found.filter(_.user_id.notnull() | _.anonymous_id.notnull()).distinct()


def with_customer(events: Table, customers: pa.Table) -> Table:
    """Say whose every event is.

    Args:
        events: The table `events`.
        customers: Columns user_id, anonymous_id (as `identifiers` gave them) and customer_id.

    Returns:
        The events that are somebody's, with the column `customer_id`.
    """
    known = ibis.memtable(customers).select(
        known_user=ibis.coalesce(_.user_id, ""),
        known_anonymous=ibis.coalesce(_.anonymous_id, ""),
        customer_id=_.customer_id,
    )
    found = _with_identifier(events)
    found = found.mutate(
        user_key=ibis.coalesce(_.user_id, ""), anonymous_key=ibis.coalesce(_.anonymous_id, "")
    )
    return found.inner_join(
        known,
        (found.user_key == known.known_user) & (found.anonymous_key == known.known_anonymous),
    ).drop("user_key", "anonymous_key", "known_user", "known_anonymous")


def event_days(events: Table, *, zone: str, as_of: date) -> Table:
    """Sum up what each customer did on each day, orders aside.

    Args:
        events: Events with `customer_id`.
        zone: IANA zone hours are told in.
        as_of: Last day read.

    Returns:
        One row per customer and day with something done: customer_id, day (number), active
        (1), visits, abandoned (1 when something was put in a cart and no order followed that
        day) and the columns `COUNTED` names. Events marked as anomalies do not count.
    """
    seen = _unmarked(events, as_of).filter(_.type.isin(ACTIVE_TYPES))
    one, none = ibis.literal(1, type="int64"), ibis.literal(0, type="int64")
    seen = seen.select(
        "customer_id",
        day=_day(seen),
        name=_name(seen),
        hour=ibis.literal(1, type="int64") << _hour(seen, zone, as_of),
    )
    days = seen.group_by("customer_id", "day").agg(
        hours=_.hour.bit_or(),
        **{column: (_.name == name).ifelse(one, none).sum() for name, column in COUNTED.items()},
    )
    one_after_another = days.hours & (days.hours << ibis.literal(1, type="int64"))
    abandoned = (days.cart_adds > 0) & (days.online_orders == 0)
    return days.mutate(
        active=one,
        visits=_bit_count(days.hours).cast("int64") - _bit_count(one_after_another).cast("int64"),
        abandoned=abandoned.ifelse(one, none),
    )


def event_counts(events: Table, *, as_of: date) -> Table:
    """Count the events of each customer, day and name.

    Args:
        events: Events with `customer_id`.
        as_of: Last day read.

    Returns:
        One row per customer, day and name: customer_id, day (number), name (that of a track
        event, else the type after a `$`), events.
    """
    seen = _unmarked(events, as_of)
    seen = seen.select("customer_id", day=_day(seen), name=_name(seen))
    return seen.group_by("customer_id", "day", "name").agg(events=_.count())


def told(events: Table, *, as_of: date) -> Table:
    """Find what survives of what events said about each customer.

    Args:
        events: Events with `customer_id`.
        as_of: Last day read.

    Returns:
        One row per customer: customer_id and one column per static tag, unfinished.
    """
    seen = _said_in_time(events, as_of)
    paths = [f"$.{path}" for path in PATHS]
    seen = seen.mutate(texts=_texts(seen.payload, paths), types=_types(seen.payload, paths))
    seen = seen.select(
        "customer_id",
        "occurred_at",
        version=seen.source + "/" + seen.message_id,
        **{tag.name: _first_text(seen.texts, seen.types, tag.paths, PATHS) for tag in STATIC_TAGS},
    )
    newest = [ibis.desc(seen.occurred_at), ibis.desc(seen.version)]
    oldest = [seen.occurred_at, ibis.desc(seen.version)]
    return seen.group_by("customer_id").agg(**{
        tag.name: seen[tag.name].first(
            where=seen[tag.name].notnull(),
            order_by=newest if tag.keeps == "latest" else oldest,
        )
        for tag in STATIC_TAGS
    })


def trait_told(events: Table, trait: str, *, as_of: date) -> Table:
    """Find the newest text told of one trait.

    Args:
        events: Events with `customer_id`.
        trait: Key of the trait, dots between levels.
        as_of: Last day read.

    Returns:
        One row per customer: customer_id, said (empty when nothing was told).
    """
    seen = _said_in_time(events, as_of)
    paths = tuple(f"{place}.{trait}" for place in ("traits", "context.traits"))
    wanted = [f"$.{path}" for path in paths]
    seen = seen.mutate(texts=_texts(seen.payload, wanted), types=_types(seen.payload, wanted))
    seen = seen.select(
        "customer_id",
        "occurred_at",
        version=seen.source + "/" + seen.message_id,
        said=_first_text(seen.texts, seen.types, paths, paths, TEXT_TYPES | {"BOOLEAN"}),
    )
    return seen.group_by("customer_id").agg(
        said=seen.said.first(
            where=seen.said.notnull(),
            order_by=[ibis.desc(seen.occurred_at), ibis.desc(seen.version)],
        )
    )


def _first_text(
    texts: ArrayValue,
    types: ArrayValue,
    paths: Sequence[str],
    read: Sequence[str],
    kinds: Collection[str] = TEXT_TYPES,
) -> StringValue:
    """Take the first text among some of the paths that were read."""
    found = []
    for path in paths:
        at = read.index(path)
        text = texts[at].strip().substr(0, MOST_LETTERS).nullif("")
        found.append(types[at].isin(sorted(kinds)).ifelse(text, None))
    return ibis.coalesce(*found)


def _with_identifier(events: Table) -> Table:
    user = events.user_id.nullif("")
    return events.mutate(
        user_id=user,
        anonymous_id=user.isnull().ifelse(events.anonymous_id.nullif(""), None),
    )


def _unmarked(events: Table, as_of: date) -> Table:
    return events.filter((_.business_date <= as_of) & _.marks.isnull())


def _said_in_time(events: Table, as_of: date) -> Table:
    """Leave out what a clock ahead of its time said: it would count as the newest for long."""
    return events.filter((_.business_date <= as_of) & ~_.is_future)


def _name(events: Table) -> StringValue:
    is_track = (events.type == "track") & events.event.notnull()
    return is_track.ifelse(events.event, ibis.literal("$") + events.type)


def _day(events: Table) -> IntegerValue:
    return events.business_date.delta(ibis.date(EPOCH.year, EPOCH.month, EPOCH.day), unit="day")


def _hour(events: Table, zone: str, as_of: date) -> IntegerValue:
    return local_seconds(events.occurred_at, zone, until=as_of) % 86_400 // 3_600
