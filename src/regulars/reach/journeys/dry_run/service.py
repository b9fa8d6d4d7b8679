"""Try a draft journey on what was recorded: volumes, what the rules hold, cost, effect."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from numpy.typing import NDArray

from regulars.decide.assignment import held_out
from regulars.errors import InputError
from regulars.govern.policy.asks import Ask
from regulars.govern.policy.quiet_hours import hours_for
from regulars.govern.policy.rules import first_refusal
from regulars.numerics.hashing import keys_of
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.reach.campaigns.definition import Audience, AudienceKind
from regulars.reach.journeys.definition.journey import Entry, EntryKind, Journey
from regulars.reach.journeys.definition.nodes import Send
from regulars.reach.journeys.dry_run.expecting.service import Expected, expect
from regulars.reach.journeys.dry_run.history import History, Integers
from regulars.reach.journeys.dry_run.reading import (
    Comings,
    Known,
    by_dates,
    by_days,
    by_event,
    by_joining,
    exits_of,
    happened_by_name,
    milliseconds,
    reads_properties,
    waits_of,
    wanted_events,
)
from regulars.reach.journeys.dry_run.rules import Asked, fill_limits, offsets, wait_for_day
from regulars.reach.journeys.dry_run.stays import Trail, live_through
from regulars.reach.journeys.dry_run.summing import (
    DayVolume,
    EdgeVolume,
    MessageVolume,
    NodeVolume,
    day_volumes,
    edge_volumes,
    goals,
    message_volumes,
    node_volumes,
)
from regulars.reach.journeys.entering.occasions.service import DateSource, known_dates
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.walking.asking import Asked as Asks
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.journeys.walking.walk import Ways
from regulars.reach.standing.gate import gate_of
from regulars.reach.standing.judging import Judging
from regulars.settings import Settings
from regulars.unify.identity.service import aliases
from regulars.unify.profiles.service import events_of_customers
from regulars.unify.tags.rules import read_rule
from regulars.unify.tags.tables import meeting_rule

ORDERED = "Order Completed"
"""Event that orders which came in files stand for."""
_SQL = Queries(__package__)
_PART = 20_000
_LONGEST = timedelta(days=62)
"""Further back than any window of a cap reaches."""


@dataclass(frozen=True)
class DryRun:
    """What a draft journey would have done.

    Attributes:
        journey: Its id.
        from_at: First moment looked at, ISO 8601.
        until_at: Last moment.
        customers: Customers known.
        entries: Stays begun; one customer may begin several.
        entered: Customers who came in.
        held_out: Customers left alone so that the effect can be measured.
        held_out_everywhere: Customers left alone by the whole programme.
        inside: Stays not over in the end.
        goals: Stays that reached what the journey is for.
        planned: Messages handed over.
        sent: Those that would have gone out.
        held: Those of them that would have waited first, by what for.
        skipped: Those that would not have gone out, by reason code.
        cost: What sending costs, in the workspace's currency.
        offer_cost: What finance plans for the offers.
        expected: What they are expected to cause.
        nodes: Volumes by node.
        edges: Volumes by way from one node to another.
        messages: Volumes by node and channel.
        days: Volumes by local day.
        notes: Codes of what could not be told as it would have been.
    """

    journey: str
    from_at: str
    until_at: str
    customers: int
    entries: int
    entered: int
    held_out: int
    held_out_everywhere: int
    inside: int
    goals: int
    planned: int
    sent: int
    held: Mapping[str, int]
    skipped: Mapping[str, int]
    cost: Decimal
    offer_cost: Decimal
    expected: Expected
    nodes: Sequence[NodeVolume]
    edges: Sequence[EdgeVolume]
    messages: Sequence[MessageVolume]
    days: Sequence[DayVolume]
    notes: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Sources:
    """What a dry run reads.

    Attributes:
        engine: Opens events, profiles, contacts, offers, effects.
        state: The transactional store: consent, facts, turns.
        settings: Settings of the workspace.
        asked: Answers what walking asks; its actions change nothing.
        members: Everybody in an audience now.
        dates: Whose day a day is, by field; birthdays are known without it.
    """

    engine: Reader
    state: State
    settings: Settings
    asked: Asks
    members: Callable[[Audience], frozenset[str]]
    dates: Mapping[str, DateSource] = field(default_factory=dict)


def dry_run(sources: Sources, journey: Journey, *, days: int, now: datetime) -> DryRun:
    """Walk recorded history through a draft journey; nothing is written.

    Args:
        sources: What it reads.
        journey: The draft.
        days: Days back from `now`, 1 to 3660.
        now: Last moment looked at, aware.

    Returns:
        The volumes. Consent, profiles and audiences of branches are those of today, and caps
        count contacts that really went out beside those of the draft.

    Raises:
        InputError: Days are out of range, or an entry is by a date nothing is recorded of.

    Source:
        Ours: the walking code is the executor's; what takes its time, the matching of events
        with those who wait, is done for all customers at once.
    """
    if not 1 <= days <= 3660:
        raise InputError(f"days is {days}, must be from 1 to 3660")
    reading = _Reading(sources, journey, now - timedelta(days=days), now)
    history = reading.history()
    trail = live_through(Ways(journey, sources.asked, sources.settings.loop.seed), history)
    nodes, offers, asked = _judged(reading, history, trail)
    return _summed(reading, history, trail, nodes, offers, asked)


class _Reading:
    """Everything one dry run reads."""

    def __init__(
        self, sources: Sources, journey: Journey, since: datetime, until: datetime
    ) -> None:
        self.sources, self.journey, self.since, self.until = sources, journey, since, until
        self.zone = sources.settings.retailer.zone
        self.notes: list[str] = []

    def history(self) -> History:
        engine, journey = self.sources.engine, self.journey
        merged = aliases(self.sources.state)
        events = events_of_customers(engine, aliases=merged)
        rows = engine.arrow(
            wanted_events(events, journey.events, since=self.since, until=self.until)
        )
        rows = self._with_orders(rows)
        known = self._known(rows.column("customer_id").unique().to_pylist())
        happened = happened_by_name(rows, known, with_properties=reads_properties(journey))
        comings = Comings()
        for entry in journey.entries:
            if entry.kind is EntryKind.EVENT:
                by_event(comings, entry, happened, since=self.since)
            elif entry.kind is EntryKind.AUDIENCE:
                assert entry.audience is not None
                members = self._members_by_turn(entry.audience)
                by_joining(comings, entry, known, members, since=self.since)
            else:
                self._by_days(comings, entry, known)
        stream, start = comings.in_order()
        return History(
            known.customers,
            known.zones,
            self._assigned(known.customers),
            stream,
            start,
            exits_of(journey, happened),
            waits_of(journey, happened),
            ms_of(self.since),
            ms_of(self.until),
        )

    def _by_days(self, comings: Comings, entry: Entry, known: Known) -> None:
        customers = known.customers
        if entry.audience is not None:
            members = self.sources.members(entry.audience)
            customers = [one for one in customers if one in members]
            self.notes.append("audience_of_today")
        if entry.kind is EntryKind.DATE and entry.field != "birthday":
            self._by_dates(comings, entry, known, frozenset(customers))
            return
        by_days(
            comings, entry, known, customers,
            since=self.since, until=self.until, zone=self.zone,
        )  # fmt: skip

    def _by_dates(
        self, comings: Comings, entry: Entry, known: Known, customers: frozenset[str]
    ) -> None:
        if entry.field not in self.sources.dates:
            raise InputError(
                f"an entry is by the date {entry.field!r}, of which nothing is recorded here; "
                f"known: {', '.join(known_dates(self.sources.dates))}"
            )
        with self.sources.state.reading() as opened:
            source = partial(self.sources.dates[entry.field], opened)
            by_dates(
                comings, entry, known, customers, source,
                span=(self.since, self.until), zone=self.zone,
            )  # fmt: skip

    def _with_orders(self, rows: pa.Table) -> pa.Table:
        """Let orders that came in files stand for the event where no such event was sent."""
        if ORDERED not in self.journey.events:
            return rows
        if pc.any(pc.equal(rows.column("name"), ORDERED)).as_py():
            return rows
        orders = self.sources.engine.table("orders")
        found = orders.filter(
            _.customer_id.notnull() & _.ordered_at.between(self.since, self.until)
        )
        found = found.select(
            customer_id=_.customer_id,
            at=milliseconds(_.ordered_at),
        )
        table = self.sources.engine.arrow(found)
        if table.num_rows:
            self.notes.append("orders_from_files")
        size = table.num_rows
        more = pa.table({
            "name": pa.array([ORDERED] * size, pa.string()),
            "customer_id": table.column("customer_id").cast(pa.string()),
            "payload": pa.array(["{}"] * size, pa.string()),
            "at": table.column("at").cast(pa.int64()),
        })
        base = rows.select(["name", "customer_id", "payload", "at"]).cast(more.schema)
        return pa.concat_tables([base, more])

    def _known(self, seen: Sequence[str]) -> Known:
        engine = self.sources.engine
        listed = engine.arrow(engine.table("customers").select("customer_id").distinct())
        customers = sorted({*listed.column("customer_id").to_pylist(), *filter(None, seen)})
        with self.sources.state.reading() as opened:
            facts = opened.all(_SQL["facts"])
        zones = {row["customer_id"]: row["zone"] for row in facts if row["zone"]}
        born = {row["customer_id"]: row["born_on"] for row in facts if row["born_on"]}
        return Known(
            customers,
            {one: place for place, one in enumerate(customers)},
            [zones.get(one, self.zone) for one in customers],
            born,
        )

    def _assigned(self, customers: Sequence[str]) -> Integers:
        if not self.journey.is_marketing:
            return np.zeros(len(customers), dtype=np.int64)
        loop, keys = self.sources.settings.loop, keys_of(list(customers))
        everywhere = held_out(keys, seed=loop.seed, purpose="global", share=loop.global_holdout)
        here = held_out(
            keys, seed=loop.seed, purpose=run_of(self.journey.id), share=self.journey.holdout
        )
        return np.where(everywhere, 2, np.where(here, 1, 0)).astype(np.int64)

    def _members_by_turn(self, audience: Audience) -> list[tuple[datetime, frozenset[str]]]:
        """Give who was in an audience at each turn, from the one before the first moment on."""
        with self.sources.state.reading() as opened:
            turns = [
                (row["number"], datetime.fromisoformat(row["now"]))
                for row in opened.all(_SQL["turns"])
            ]
        before = [one for one in turns if one[1] < self.since][-1:]
        chosen = before + [one for one in turns if self.since <= one[1] <= self.until]
        if len(chosen) < 2:
            self.notes.append("one_turn_only")
        return [(moment, self._members_at(audience, number)) for number, moment in chosen]

    def _members_at(self, audience: Audience, turn: int) -> frozenset[str]:
        engine = self.sources.engine
        if audience.kind is AudienceKind.RULE:
            profiles = engine.table("profiles").filter(_.turn == turn)
            [day] = engine.rows(profiles.agg(as_of=_.as_of.max()))
            if day["as_of"] is None:
                return frozenset()
            rule = read_rule(audience.rule, "audience.rule")
            found = meeting_rule(rule, profiles, engine.table("events"), as_of=day["as_of"])
        elif audience.kind is AudienceKind.SEGMENT:
            scores = engine.table("rfm_scores")
            found = scores.filter((_.turn == turn) & (_.segment == audience.name))
        elif audience.kind is AudienceKind.TAG:
            members = engine.table("tag_members")
            found = members.filter((_.turn == turn) & (_.tag == audience.name) & _.is_member)
        else:
            return self.sources.members(audience)
        rows = engine.arrow(found.select("customer_id"))
        return frozenset(rows.column("customer_id").to_pylist())


def _judged(
    reading: _Reading, history: History, trail: Trail
) -> tuple[list[str], list[str], Asked]:
    """Let the rules of contact look at every message, beside what really went out before."""
    settings = reading.sources.settings
    gate = gate_of(settings, now=reading.until)
    asked = _asked(reading, history, trail)
    place = np.arange(len(asked))
    ahead = offsets(asked.at, [history.zones[n] for n in asked.customer.tolist()])
    kinds = {*zip(asked.message_class, asked.channel, asked.topic, strict=True)}
    hours = {
        kind: hours_for(settings.policy, message_class=kind[0], channel=kind[1], topic=kind[2])
        for kind in kinds
    }
    wait_for_day(asked, ahead, hours)
    order = np.lexsort((~asked.is_past, asked.at, asked.customer))
    quotas = [one for one in gate.book.quotas if one.kind == "limit"]
    judged = fill_limits(asked, ahead, [*quotas, *gate.book.caps])
    place = place[order][~judged.is_past].tolist()
    return (
        [trail.contact_node[n] for n in place],
        [trail.contact_offer[n] for n in place],
        judged.chosen(np.flatnonzero(~judged.is_past)),
    )


def _asked(reading: _Reading, history: History, trail: Trail) -> Asked:
    """Put messages and the contacts of the past into columns."""
    nodes = reading.journey.nodes
    sends = {name: node.does for name, node in nodes.items() if isinstance(node.does, Send)}
    who = trail.customer[np.array(trail.contact_stay, dtype=np.int64)]
    channel, reason = _channels(trail, sends, who, _refused(reading, history, trail, sends, who))
    before = _past(reading, history)
    size, past = len(who), len(before.at)
    classes = [sends[one].message_class.value for one in trail.contact_node]
    topics = [sends[one].topic for one in trail.contact_node]
    return Asked(
        np.concatenate([who, before.customer]),
        np.concatenate([np.array(trail.contact_at, dtype=np.int64), before.at]),
        np.concatenate([channel, before.channel]),
        np.array([*classes, *["marketing"] * past], dtype=object),
        np.array([*topics, *[""] * past], dtype=object),
        np.concatenate([reason, before.reason]),
        np.full(size + past, "", dtype=object),
        np.r_[np.zeros(size, dtype=bool), before.is_past],
    )


def _refused(
    reading: _Reading,
    history: History,
    trail: Trail,
    sends: Mapping[str, Send],
    who: Integers,
) -> dict[tuple[str, str, str], dict[int, str]]:
    """Ask today's standing rules about every customer once per kind of message."""
    settings, journey = reading.sources.settings, reading.journey
    gate = gate_of(settings, now=reading.until)
    kinds: dict[tuple[str, str, str], set[int]] = {}
    asking = zip(who.tolist(), trail.contact_node, trail.contact_channels, strict=True)
    for place, node, channels in set(asking):
        for channel in channels:
            kind = (sends[node].message_class.value, channel, sends[node].topic)
            kinds.setdefault(kind, set()).add(place)
    found: dict[tuple[str, str, str], dict[int, str]] = {kind: {} for kind in kinds}
    everybody = sorted(set[int]().union(*kinds.values()))
    with reading.sources.state.reading() as opened:
        for first in range(0, len(everybody), _PART):
            part = everybody[first : first + _PART]
            ids = json.dumps([history.customers[place] for place in part])
            picture = gate.picture(opened, ids, now=reading.until)
            picture.contacts = {}  # what counts against caps is counted moment by moment
            judging = Judging(gate.book, picture, now=reading.until)
            for kind, places in kinds.items():
                mine = sorted(places.intersection(part))
                found[kind] |= _standing(judging, journey, kind, mine, history.customers)
    return found


def _standing(
    judging: Judging,
    journey: Journey,
    kind: tuple[str, str, str],
    places: Sequence[int],
    customers: Sequence[str],
) -> dict[int, str]:
    """Give why some customers get nothing of a kind, whatever else they get and when."""
    of, channel, topic = kind
    is_automated = journey.is_chosen_by_program and of == "marketing"
    ask = Ask("", "", channel, message_class=of, topic=topic, is_automated=is_automated)
    found = {}
    for place in places:
        case = judging.find(ask, customers[place]).case
        reason = first_refusal(case._replace(is_quiet=False, is_stopped=False))
        if reason is not None:
            found[place] = reason.value
    return found


def _channels(
    trail: Trail,
    sends: Mapping[str, Send],
    who: Integers,
    refused: Mapping[tuple[str, str, str], Mapping[int, str]],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Give each message the first channel no standing rule forbids."""
    chosen: list[str] = []
    reasons: list[str] = []
    of_kind: dict[tuple[str, tuple[str, ...]], list[Mapping[int, str]]] = {}
    for place, node, channels in zip(
        who.tolist(), trail.contact_node, trail.contact_channels, strict=True
    ):
        said = of_kind.get((node, channels))
        if said is None:
            does = sends[node]
            said = [refused[does.message_class.value, one, does.topic] for one in channels]
            of_kind[node, channels] = said
        number = next((n for n, one in enumerate(said) if place not in one), 0)
        chosen.append(channels[number])
        reasons.append(said[number].get(place, ""))
    return np.array(chosen, dtype=object), np.array(reasons, dtype=object)


def _past(reading: _Reading, history: History) -> Asked:
    """Give the marketing contacts that really went out, of turns and of whatever else counts."""
    contacts = reading.sources.engine.table("contacts")
    sent = contacts.filter(
        (_.fate == "sent") & _.at.between(reading.since - _LONGEST, reading.until)
    )
    rows = reading.sources.engine.arrow(
        sent.select("customer_id", "channel", at=milliseconds(_.at))
    )
    place = pc.index_in(rows.column("customer_id"), value_set=pa.array(history.customers))
    rows = rows.append_column("place", place).filter(pc.is_valid(place))
    size = rows.num_rows
    nothing: NDArray[np.object_] = np.full(size, "", dtype=object)
    return Asked(
        rows.column("place").to_numpy().astype(np.int64),
        rows.column("at").to_numpy().astype(np.int64),
        np.array(rows.column("channel").to_pylist(), dtype=object),
        np.full(size, "marketing", dtype=object),
        nothing,
        nothing,
        nothing,
        np.ones(size, dtype=bool),
    )


def _summed(
    reading: _Reading,
    history: History,
    trail: Trail,
    nodes: Sequence[str],
    offers: Sequence[str],
    asked: Asked,
) -> DryRun:
    journey, sources = reading.journey, reading.sources
    costs = {name: part.cost for name, part in sources.settings.channels.items()}
    planned = {
        row["offer_id"]: row["planned_cost"] or Decimal(0)
        for row in sources.engine.rows(
            sources.engine.table("offers").select("offer_id", "planned_cost")
        )
    }
    messages = message_volumes(
        nodes, asked, costs=costs, offer_costs=[planned.get(one, Decimal(0)) for one in offers]
    )
    sent = np.flatnonzero(asked.reason == "")
    by_offer: dict[str, set[int]] = {}
    for place in sent.tolist():
        by_offer.setdefault(offers[place], set()).add(int(asked.customer[place]))
    expected = expect(
        sources.engine,
        run_id=run_of(journey.id),
        customers_by_offer={offer: len(found) for offer, found in by_offer.items()},
        contacted=len(np.unique(asked.customer[sent])),
    )
    held, skipped = Counter[str](), Counter[str]()
    for one in messages:
        held.update(one.held)
        skipped.update(one.skipped)
    return DryRun(
        journey.id,
        reading.since.isoformat(),
        reading.until.isoformat(),
        len(history.customers),
        len(trail.customer),
        len(np.unique(trail.customer)),
        *trail.held_out,
        sum(bool(one) for one in trail.stands),
        goals(journey, trail),
        len(asked),
        len(sent),
        dict(sorted(held.items())),
        dict(sorted(skipped.items())),
        sum((one.cost for one in messages), Decimal(0)),
        sum((one.offer_cost for one in messages), Decimal(0)),
        expected,
        node_volumes(journey, trail),
        edge_volumes(journey, trail),
        messages,
        day_volumes(history, trail, asked, zone=reading.zone),
        tuple(sorted(set(reading.notes))),
    )
