"""How actors behave: how often they act, how regularly, from where, and by whose script."""

from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table as Definition
from ibis.expr.types import Value

SECOND = 1_000_000
LONGEST_GAP_MS = 3_600_000
"""A gap of more than an hour is a pause and says nothing about regularity."""

LEAST_EVENTS = 10
"""Actors with fewer events than these are not scored."""

LEAST_MEMBERS = 12
"""Ids behind one address or machine before they can be a farm."""

_PULSES = "(?i)heartbeat|playing|ping$"
_EARTH_KM = 6371.0
_FARTHEST_KM = 300.0
_FASTEST_KMH = 1000.0


def sightings(events: Definition, *, first_day: date, last_day: date) -> Definition:
    """Read out of stored events who acted, when, where from, and with what content.

    Events that players and apps send by a timer (heartbeats) are left out: they are regular
    because no hand is in them.

    Args:
        events: The table `events`.
        first_day: First day looked at.
        last_day: Last day.

    Returns:
        One row per event: event_id (source/message id), at (microseconds since 1970), label,
        device, customer, machine, address, latitude, longitude, content (hash of what was sent,
        but for its id and the time of sending; empty without a moment of its own).
    """
    body = _.payload.cast("json")
    where, told = body["context"], ibis.coalesce(body["originalTimestamp"], body["timestamp"])
    seen = events.filter(_.business_date.between(first_day, last_day)).mutate(
        label=ibis.coalesce(_.event, _.type),
        at=_.occurred_at.epoch_seconds() * SECOND + _.occurred_at.microsecond(),
        told=told.cast("string"),
        said=ibis.coalesce(body["properties"], body["traits"]).cast("string"),
        machine=where["device"]["id"].str,
        address=where["ip"].str,
        latitude=where["location"]["latitude"].float,
        longitude=where["location"]["longitude"].float,
    )
    parts = ("source", "type", "label", "user_id", "anonymous_id", "told", "said")
    text = ibis.literal("\x1f").join([ibis.coalesce(seen[part], "") for part in parts])
    seen = seen.mutate(content=ibis.ifelse(seen.told.notnull(), text.hash(), ibis.null("int64")))
    return seen.filter(~_.label.re_search(_PULSES)).select(
        "at",
        "label",
        "machine",
        "address",
        "latitude",
        "longitude",
        "content",
        event_id=_.source + "/" + _.message_id,
        device=_.anonymous_id,
        customer=_.user_id,
    )


def actor_features(seen: Definition) -> Definition:
    """Sum up each device and each customer.

    Sums are of whole numbers, so that they are the same on any number of threads.

    Args:
        seen: Rows of `sightings`.

    Returns:
        One row per actor with at least `LEAST_EVENTS` events, by kind and actor: kind (device or
        customer), actor, events, first_at, last_at, per_second and per_minute (most events in
        any second, in any minute), gaps, gap_ms and gap_ms2 (their number, sum, sum of squares;
        pauses left out), labels (different events), others (ids of the other kind), replayed
        (events that came more than once under different ids), jumps (moves nobody can make).
    """
    copies = ibis.window(group_by="content")
    known = seen.mutate(same=ibis.ifelse(_.content.notnull(), ibis._.count().over(copies), 1))
    rows = ibis.union(_as(known, "device", "customer"), _as(known, "customer", "device"))
    whose = ["kind", "actor"]
    ordered = ibis.window(group_by=whose, order_by=["at", "event_id"])
    rows = rows.mutate(
        second=_.count().over(_within(whose, SECOND)),
        minute=_.count().over(_within(whose, 60 * SECOND)),
        gap_ms=((_.at - _.at.lag().over(ordered)) // 1000).cast("int64"),
    )
    near = _.gap_ms <= LONGEST_GAP_MS
    found = rows.group_by(whose).agg(
        events=_.count(),
        first_at=_.at.min(),
        last_at=_.at.max(),
        per_second=_.second.max(),
        per_minute=_.minute.max(),
        gaps=_.gap_ms.count(where=near),
        gap_ms=_.gap_ms.sum(where=near),
        gap_ms2=(_.gap_ms * _.gap_ms).sum(where=near).cast("float64"),
        labels=_.label.nunique(),
        others=_.other.nunique(),
        replayed=(_.same > 1).cast("int64").sum(),
    )
    found = found.filter(_.events >= LEAST_EVENTS)
    moved = found.left_join(_jumps(rows), whose).drop("kind_right", "actor_right")
    return moved.mutate(jumps=ibis.coalesce(_.jumps, 0)).order_by(whose)


def farm_members(seen: Definition) -> Definition:
    """Find ids behind one address or machine, and how many of them follow one script.

    A script is the sequence of events of one id. People behind one address do different things;
    the ids of a farm do the same thing.

    Args:
        seen: Rows of `sightings`.

    Returns:
        One row per member that follows the most common script of its host, by kind, host and
        device: kind (address or machine), host, device, members (ids behind the host), followers
        (those with the script), length (events of the script); and, over the followers, sums and
        sums of squares of the milliseconds they took (took, took2) and of those from one's start
        to the next one's (apart, apart2).
    """
    hosts = ibis.union(_hosted(seen, "address"), _hosted(seen, "machine"))
    per_id = hosts.group_by("kind", "host", "device").agg(
        script=_.label.group_concat("\x1f", order_by=[_.at, _.event_id]).hash(),
        length=_.count(),
        begun=_.at.min(),
        took=((_.at.max() - _.at.min()) // 1000).cast("int64"),
    )
    of_host = ibis.window(group_by=["kind", "host"])
    of_script = ibis.window(group_by=["kind", "host", "script"])
    in_turn = ibis.window(group_by=["kind", "host", "script"], order_by=["begun", "device"])
    told = per_id.mutate(
        members=_.count().over(of_host),
        followers=_.count().over(of_script),
        apart=ibis.coalesce((_.begun - _.begun.lag().over(in_turn)) // 1000, 0).cast("int64"),
    )
    most = told.filter(_.members >= LEAST_MEMBERS).mutate(top=_.followers.max().over(of_host))
    chosen = most.filter(_.followers == _.top).mutate(
        took2=(_.took * _.took).sum().over(of_script).cast("float64"),
        apart2=(_.apart * _.apart).sum().over(of_script).cast("float64"),
    )
    chosen = chosen.mutate(took=_.took.sum().over(of_script), apart=_.apart.sum().over(of_script))
    counts = ("members", "followers", "length", "took", "took2", "apart", "apart2")
    return chosen.select("kind", "host", "device", *counts).order_by("kind", "host", "device")


def marked_before(marked_actors: Definition, *, turn: int, since: date) -> Definition:
    """Give the actors earlier turns marked, as far as marks still hold.

    Args:
        marked_actors: Table of that name.
        turn: The turn that looks.
        since: Marks older than this day have run out.

    Returns:
        Rows of the last earlier turn: kind, actor, reasons, marked_on, by kind and actor.
    """
    earlier = marked_actors.filter(_.turn < turn)
    last = earlier.filter(_.turn == earlier.turn.max())
    kept = last.filter(_.marked_on >= since)
    return kept.select("kind", "actor", "reasons", "marked_on").order_by("kind", "actor")


def customers_and_devices(seen: Definition) -> Definition:
    """Count the events every pair of customer and device sent.

    Returns:
        One row per pair, by customer and device; either may be empty: customer, device, events.
    """
    pairs = seen.group_by("customer", "device").agg(events=_.count())
    return pairs.order_by("customer", "device")


def orders_of_actors(
    seen: Definition, order_versions: Definition, actors: Definition
) -> Definition:
    """Find the orders that marked actors placed.

    Args:
        seen: Rows of `sightings`.
        order_versions: The table; its `version_id` is source/message id of the event.
        actors: kind, actor and marked_on of marked actors.

    Returns:
        One row per order: order_id, marked_on (the earliest of its actors), by order_id.
    """
    placed = order_versions.filter(_.status != "voided").select("order_id", "version_id")
    told = seen.inner_join(placed, [("event_id", "version_id")])
    who = ibis.union(
        told.select("order_id", kind=ibis.literal("device"), actor=_.device),
        told.select("order_id", kind=ibis.literal("customer"), actor=_.customer),
    )
    found = who.inner_join(actors, ["kind", "actor"])
    return found.group_by("order_id").agg(marked_on=_.marked_on.min()).order_by("order_id")


def _as(seen: Definition, kind: str, other: str) -> Definition:
    held = ("event_id", "at", "label", "latitude", "longitude", "same")
    rows = seen.filter(_[kind].notnull())
    return rows.select(*held, kind=ibis.literal(kind), actor=_[kind], other=_[other])


def _hosted(seen: Definition, kind: str) -> Definition:
    rows = seen.filter(_[kind].notnull() & _.device.notnull())
    return rows.select("event_id", "at", "label", "device", kind=ibis.literal(kind), host=_[kind])


def _within(whose: list[str], span: int) -> "ibis.expr.builders.WindowBuilder":
    return ibis.range_window(group_by=whose, order_by="at", preceding=span - 1, following=0)


def _jumps(rows: Definition) -> Definition:
    """Moves of more than 300 km at more than 1,000 km/h, per actor."""
    placed = rows.filter(_.latitude.notnull() & _.longitude.notnull())
    ordered = ibis.window(group_by=["kind", "actor"], order_by=["at", "event_id"])
    moved = placed.mutate(
        hours=(_.at - _.at.lag().over(ordered)) / (3600 * SECOND),
        km=_distance_km(
            _.latitude.lag().over(ordered), _.longitude.lag().over(ordered), _.latitude, _.longitude
        ),
    )
    is_jump = (_.km > _FARTHEST_KM) & (_.km > _FASTEST_KMH * _.hours)
    return moved.group_by("kind", "actor").agg(jumps=is_jump.cast("int64").sum())


def _distance_km(a_lat: Value, a_lon: Value, b_lat: Value, b_lon: Value) -> Value:
    """Great-circle distance by the haversine formula."""
    half_lat, half_lon = ((b_lat - a_lat) / 2).radians(), ((b_lon - a_lon) / 2).radians()
    chord = (
        half_lat.sin() ** 2 + a_lat.radians().cos() * b_lat.radians().cos() * half_lon.sin() ** 2
    )
    return 2 * _EARTH_KM * ibis.least(1.0, chord.sqrt()).asin()
