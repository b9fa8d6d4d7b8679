"""Recorded events, days and audiences as the columns a dry run walks through."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.expr.types import Table

from regulars.reach.journeys.definition.journey import Entry, EntryKind, Journey
from regulars.reach.journeys.definition.nodes import Branch, Condition, WaitForEvent
from regulars.reach.journeys.dry_run.history import Exits, Integers, Stream
from regulars.reach.journeys.entering.occasions.days import month_days_on, occasions_of
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.journeys.walking.walk import holds


@dataclass(frozen=True)
class Known:
    """Customers by place, and what is known of each.

    Attributes:
        customers: Ids, in order.
        place_by_customer: Place by id.
        zones: IANA zone by place.
        born_on: Day of birth, ISO, by id; customers without one are left out.
    """

    customers: Sequence[str]
    place_by_customer: Mapping[str, int]
    zones: Sequence[str]
    born_on: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Happened:
    """Events of one name, in the order of customers and moments.

    Attributes:
        customer: Place of the customer.
        at: When, milliseconds.
        properties: What each says; empty where nobody looks at it.
    """

    customer: Integers
    at: Integers
    properties: Sequence[Mapping[str, Any]] = ()

    def meeting(self, where: Sequence[Condition], *, since: int = -1) -> Stream:
        """Keep those that meet conditions, from a moment on.

        Returns:
            The stream.
        """
        kept = self.at >= since
        if where:
            kept &= np.array([holds(where, one) for one in self.properties], dtype=bool)
        places = np.flatnonzero(kept)
        said = [self.properties[n] for n in places.tolist()] if self.properties else ()
        return Stream(self.customer[places], self.at[places], said)


NOTHING = Happened(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def reads_properties(journey: Journey) -> bool:
    """Tell whether what events say decides about anything in a journey."""
    does = [node.does for node in journey.nodes.values()]
    return (
        any(one.where for one in journey.entries)
        or any(one.where for one in journey.exits)
        or any(isinstance(one, WaitForEvent) and one.where for one in does)
        or any(isinstance(one, Branch) and any(when.event for when in one.cases) for one in does)
    )


def wanted_events(
    events: Table, names: Sequence[str], *, since: datetime, until: datetime
) -> Table:
    """Choose the events a journey listens to.

    Args:
        events: Events with customer_id.
        names: Their names.
        since: First moment, aware.
        until: Last moment, aware.

    Returns:
        name, customer_id, at (milliseconds) and payload, in order.
    """
    at = ibis.least(events.occurred_at, events.received_at)
    is_named = (events.type == "track") & events.event.notnull()
    name = ibis.ifelse(is_named, events.event, ibis.literal("$") + events.type)
    chosen = events.filter(events.marks.isnull()).select("customer_id", "payload", name=name, at=at)
    chosen = chosen.filter(_.name.isin(sorted(names)) & _.at.between(since, until))
    return chosen.mutate(at=milliseconds(_.at))


def milliseconds(at: Any) -> Any:
    """Give a column of moments as whole milliseconds since 1970 UTC, rounded down."""
    return at.truncate("s").epoch_seconds().cast("int64") * 1000 + at.millisecond().cast("int64")


def happened_by_name(rows: pa.Table, known: Known, *, with_properties: bool) -> dict[str, Happened]:
    """Turn chosen events into columns by name.

    Args:
        rows: As `wanted_events` chose them.
        known: Customers by place; events of others are left out.
        with_properties: True to read what they say.

    Returns:
        Events by name.
    """
    place = pc.index_in(rows.column("customer_id"), value_set=pa.array(known.customers))
    rows = rows.append_column("place", place).filter(pc.is_valid(place))
    found = {}
    for name in pc.unique(rows.column("name")).to_pylist():
        part = rows.filter(pc.equal(rows.column("name"), name))
        said: Sequence[Mapping[str, Any]] = ()
        if with_properties:
            payloads = (json.loads(one) for one in part.column("payload").to_pylist())
            said = [one.get("properties") or {} for one in payloads]
        stream = Stream.of(
            part.column("place").to_numpy().astype(np.int64),
            part.column("at").to_numpy().astype(np.int64),
            said,
        )
        found[name] = Happened(stream.customer, stream.at, stream.properties)
    return found


def exits_of(journey: Journey, happened: Mapping[str, Happened]) -> list[Exits]:
    """Give the events that take customers out."""
    return [
        Exits(happened.get(one.event, NOTHING).meeting(one.where), one.is_goal)
        for one in journey.exits
    ]


def waits_of(journey: Journey, happened: Mapping[str, Happened]) -> dict[str, Stream]:
    """Give the events nodes wait for, by node."""
    return {
        name: happened.get(node.does.event, NOTHING).meeting(node.does.where)
        for name, node in journey.nodes.items()
        if isinstance(node.does, WaitForEvent)
    }


@dataclass
class Comings:
    """Who would come in, collected entry by entry.

    Attributes:
        customer: Places of customers, one array per entry.
        at: Moments, one array per entry.
        start: Node, one per coming.
        properties: What the event said, one per coming.
    """

    customer: list[Integers] = field(default_factory=list)
    at: list[Integers] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    properties: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, start: str, customer: Integers, at: Integers, said: Sequence[Any] = ()) -> None:
        """Add those who come in by one entry."""
        self.customer.append(customer)
        self.at.append(at)
        self.start += [start] * len(at)
        self.properties += list(said) if len(said) else [{}] * len(at)

    def in_order(self) -> tuple[Stream, list[str]]:
        """Give them in the order of customers and moments, and where each begins."""
        customer = np.concatenate([np.zeros(0, dtype=np.int64), *self.customer])
        at = np.concatenate([np.zeros(0, dtype=np.int64), *self.at])
        order = np.lexsort((at, customer)).tolist()
        said = [self.properties[n] for n in order] if any(self.properties) else ()
        return Stream(customer[order], at[order], said), [self.start[n] for n in order]


def by_event(
    comings: Comings, entry: Entry, happened: Mapping[str, Happened], *, since: datetime
) -> None:
    """Add who comes in by an event."""
    stream = happened.get(entry.event, NOTHING).meeting(entry.where, since=ms_of(since))
    comings.add(entry.start, stream.customer, stream.at, stream.properties)


def by_days(
    comings: Comings, entry: Entry, known: Known, customers: Sequence[str], *,
    since: datetime, until: datetime, zone: str,
) -> None:  # fmt: skip
    """Add who comes in on a day of hers, or when a schedule takes everybody of an audience.

    Args:
        comings: Added to.
        entry: An entry by date or schedule.
        known: Customers by place.
        customers: Who may come in.
        since: First moment.
        until: Last moment.
        zone: IANA zone of the workspace.
    """
    if entry.kind is EntryKind.SCHEDULE:
        everybody = _places(known, customers)
        for _day, moment in _occasions(entry, since=since, until=until, zone=zone):
            comings.add(entry.start, everybody, np.full(len(everybody), ms_of(moment)))
        return
    born: dict[str, list[int]] = {}
    for one in customers:
        if one in known.born_on:
            born.setdefault(known.born_on[one][5:10], []).append(known.place_by_customer[one])
    for day, moment in _occasions(entry, since=since, until=until, zone=zone):
        theirs = [n for key in month_days_on(day, entry.days) for n in born.get(key, ())]
        places = np.array(sorted(theirs), dtype=np.int64)
        comings.add(entry.start, places, np.full(len(places), ms_of(moment)))


def by_dates(
    comings: Comings,
    entry: Entry,
    known: Known,
    customers: Collection[str],
    source: Callable[[date], Mapping[str, Mapping[str, Any]]],
    *,
    span: tuple[datetime, datetime],
    zone: str,
) -> None:
    """Add who comes in on a day that others know, with what they say of it.

    Args:
        comings: Added to.
        entry: An entry by a date that is no birthday.
        known: Customers by place.
        customers: Who may come in.
        source: Whose day a day is.
        span: First and last moment.
        zone: IANA zone of the workspace.
    """
    for day, moment in _occasions(entry, since=span[0], until=span[1], zone=zone):
        theirs = {
            known.place_by_customer[one]: says
            for one, says in source(day - timedelta(days=entry.days)).items()
            if one in customers and one in known.place_by_customer
        }
        places = np.array(sorted(theirs), dtype=np.int64)
        at = np.full(len(places), ms_of(moment))
        comings.add(entry.start, places, at, [theirs[one] for one in places.tolist()])


def _occasions(
    entry: Entry, *, since: datetime, until: datetime, zone: str
) -> list[tuple[date, datetime]]:
    """Every occasion of a stretch, as the executor would have met it day by day."""
    found: dict[date, datetime] = {}
    now = since
    while now < until:
        now = min(now + timedelta(days=1), until)
        found |= dict(occasions_of(entry, since=since, now=now, zone=zone))
    return sorted(found.items())


def by_joining(
    comings: Comings,
    entry: Entry,
    known: Known,
    members: Sequence[tuple[datetime, frozenset[str]]],
    *,
    since: datetime,
) -> None:
    """Add who has come into an audience from one turn to the next.

    Args:
        comings: Added to.
        entry: An entry by audience.
        known: Customers by place.
        members: Who was in it at each turn, the earliest first; of the first nobody has come in.
        since: First moment that counts.
    """
    for (_before, were), (moment, are) in zip(members, members[1:], strict=False):
        if moment >= since:
            places = _places(known, sorted(are - were))
            comings.add(entry.start, places, np.full(len(places), ms_of(moment)))


def _places(known: Known, customers: Sequence[str]) -> Integers:
    found = [known.place_by_customer.get(one, -1) for one in customers]
    return np.array([one for one in found if one >= 0], dtype=np.int64)
