"""Open what audiences are judged on: profiles and scores of a turn, activity, sets of customers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

from regulars.errors import NotReady, UnknownName
from regulars.govern.consent.rule import Status
from regulars.govern.consent.service import who_said
from regulars.numerics.days import day_of
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.records.identifiers import COOKIE, EMAIL, PHONE, customer_id_of, primary_identifier
from regulars.understand.segments.audiences.judging.activity import (
    COLUMNS,
    by_login,
    by_table,
    present_profiles,
    relevant,
    renamed,
    without_login,
)
from regulars.understand.segments.audiences.rules import (
    HAPPENINGS,
    AudienceRule,
    Clause,
    Included,
    Scored,
)
from regulars.understand.segments.audiences.tables import Clock, Sources, first_day, names_of
from regulars.unify.identity.service import aliases, members_of_many
from regulars.unify.profiles.event_tables import identifiers, with_customer
from regulars.unify.tags.rules import asked
from regulars.unify.tags.service import all_marks, find_tag
from regulars.unify.tags.tables import GIVEN

_QUERIES = Queries(__package__)

_ACTIVITY = pa.schema([
    ("customer_id", pa.string()),
    ("name", pa.string()),
    ("at", pa.timestamp("us", tz="UTC")),
    ("day", pa.int64()),
])


@dataclass(frozen=True)
class Place:
    """Where a workspace stands in time.

    Attributes:
        zone: IANA zone a day is told in.
        turn_days: Days from one turn to the next.
        now: The moment, aware.
    """

    zone: str
    turn_days: int
    now: datetime

    def clock(self, turned: date) -> Clock:
        """Say as of when audiences are judged.

        Args:
            turned: Last day the newest turn looked at.

        Returns:
            The moment; the end of the turn's day where the next turn is overdue by a turn: the
            data then lies in the past, and windows are counted from its end.
        """
        zone = ZoneInfo(self.zone)
        today = self.now.astimezone(zone).date()
        if today - turned <= timedelta(days=2 * self.turn_days):
            return Clock(self.now.astimezone(UTC), today)
        midnight = datetime.combine(turned + timedelta(days=1), time(), zone).astimezone(UTC)
        return Clock(midnight - timedelta(microseconds=1), turned)


@dataclass(frozen=True)
class Turned:
    """The newest turn there are profiles of.

    Attributes:
        number: Its number.
        as_of: Last day it looked at.
    """

    number: int
    as_of: date


def newest_turn(engine: Reader) -> Turned | None:
    """Find the newest turn; None before the first."""
    profiles = engine.table("profiles")
    [row] = engine.rows(profiles.agg(turn=profiles.turn.max(), as_of=profiles.as_of.max()))
    return None if row["turn"] is None else Turned(row["turn"], row["as_of"])


def open_sources(
    engine: Reader,
    state: State,
    rules: Iterable[AudienceRule],
    *,
    turned: Turned,
    clock: Clock,
    zone: str,
    only: Collection[str] | None = None,
    also: Table | None = None,
) -> Sources:
    """Open what rules are judged on.

    Args:
        engine: Opens the tables.
        state: The transactional store: merged ids, tags given by hand, consents.
        rules: The rules, audiences they name put in place.
        turned: The newest turn.
        clock: When they are judged.
        zone: IANA zone a day is told in.
        only: Present ids of the customers to judge; None for everybody.
        also: Identifiers of theirs (user_id, anonymous_id) the identity graph may not know yet.

    Returns:
        Definitions; nothing but identifiers and sets was read yet.
    """
    clauses = list(dict.fromkeys(one for rule in rules for one in asked(rule)))
    merged = aliases(state)
    tables = {one.table for one in clauses if isinstance(one, Scored)}
    scores = {name: _of_turn(engine, name, turned) for name in sorted(tables)}
    profiles = present_profiles(_of_turn(engine, "profiles", turned), merged)
    if only is not None:
        wanted = ibis.memtable(pa.table({"wanted": pa.array(sorted(only), pa.string())}))
        profiles = profiles.semi_join(wanted, profiles.customer_id == wanted.wanted)
    found = _Activity(engine, state, merged, zone, clock)
    return Sources(
        profiles=profiles,
        activity=found.of(clauses, only=only, also=also),
        scores={name: present_profiles(table, merged) for name, table in scores.items()},
        sets=_sets(engine, state, clauses, turned, merged, zone),
        at=clock.at,
        as_of=clock.as_of,
    )


def owners(engine: Reader, events: Table, merged: Mapping[str, str]) -> tuple[set[str], pa.Table]:
    """Find whose some events are.

    Args:
        engine: Runs the definition.
        events: Some events, with user_id and anonymous_id.
        merged: Present customer id by an id that was merged into it.

    Returns:
        Present customer ids, and the identifiers they were met by (user_id, anonymous_id).
    """
    names = engine.arrow(events.select("user_id", "anonymous_id").distinct())
    found = [_owner(row, merged) for row in names.to_pylist()]
    return {one for one in found if one}, names


class _Activity:
    """Opens what happened, told by the customers' present ids."""

    def __init__(
        self, engine: Reader, state: State, merged: Mapping[str, str], zone: str, clock: Clock
    ) -> None:
        self._engine, self._state, self._merged = engine, state, merged
        self._zone, self._clock = zone, clock

    def of(
        self, clauses: Collection[Clause], *, only: Collection[str] | None, also: Table | None
    ) -> Table:
        names, number = names_of(clauses), first_day(clauses, self._clock.as_of)
        if not names or number is None:
            return ibis.memtable(_ACTIVITY.empty_table())
        parts = [
            by_table(self._engine.table(t), name, moment, zone=self._zone, until=self._clock.as_of)
            for name, (t, moment) in HAPPENINGS.items()
            if name in names
        ]
        if set(names) - HAPPENINGS.keys():
            events = relevant(self._engine.table("events"), names, since=day_of(number))
            parts += [by_login(events)]
            others = self._looked_up(without_login(events), only, also)
            parts += [] if others is None else [others]
        whole = reduce(lambda one, other: one.union(other), [p.select(*COLUMNS) for p in parts])
        whole = renamed(whole, self._merged)
        if only is None:
            return whole
        wanted = ibis.memtable(pa.table({"wanted": pa.array(sorted(only), pa.string())}))
        return whole.semi_join(wanted, whole.customer_id == wanted.wanted)

    def _looked_up(
        self, events: Table, only: Collection[str] | None, also: Table | None
    ) -> Table | None:
        """Find the customers of events by a browser or a token; None when there are none."""
        if only is None:
            names = self._engine.arrow(identifiers(events).order_by("user_id", "anonymous_id"))
        else:
            names = self._known(only)
            names = names if also is None else pa.concat_tables([names, also]).combine_chunks()
            names = names.group_by(["user_id", "anonymous_id"]).aggregate([])
        if not names.num_rows:
            return None
        found = [_owner(row, self._merged) for row in names.to_pylist()]
        named = names.append_column("customer_id", pa.array(found, pa.string()))
        named = named.filter(pa.compute.is_valid(named.column("customer_id")))
        return with_customer(events, named)

    def _known(self, only: Collection[str]) -> pa.Table:
        nodes = members_of_many(self._state, only)
        tokens = [node.value for node in nodes if node.namespace in {PHONE, EMAIL}]
        cookies = [node.value for node in nodes if node.namespace == COOKIE]
        return pa.table({
            "user_id": pa.array([*tokens, *(None for _cookie in cookies)], pa.string()),
            "anonymous_id": pa.array([*(None for _token in tokens), *cookies], pa.string()),
        })


def _sets(
    engine: Reader,
    state: State,
    clauses: Iterable[Clause],
    turned: Turned,
    merged: Mapping[str, str],
    zone: str,
) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for one in clauses:
        if not isinstance(one, Included):
            continue
        if one.kind == "tag":
            found[one.column] = _tagged(engine, state, one.name, turned, merged, zone)
        elif one.kind == "consent":
            status = Status(one.standing)
            said = who_said(state, one.name, channel=one.channel, status=status)
            found[one.column] = renamed(_memory(said), merged)
        elif one.kind == "journey":
            found[one.column] = renamed(_memory(_in_journey(state, one)), merged)
    return found


def _in_journey(state: State, one: Included) -> list[str]:
    """Find who is in a journey now, ever was, or has been through it."""
    number = _journey_number(state, one.name)
    with state.reading() as opened:
        rows = opened.all(_QUERIES["stays"], journey_no=number)
    return [row["customer_id"] for row in rows if one.standing == "entered" or row[one.standing]]


def _journey_number(state: State, name: str) -> int:
    with state.reading() as opened:
        rows = opened.all(_QUERIES["journey"], journey_id=name)
        if not rows:
            known = [row["journey_id"] for row in opened.all(_QUERIES["journeys"])]
            raise UnknownName("journey", name, known)
    return int(rows[0]["journey_no"])


def _tagged(
    engine: Reader,
    state: State,
    name: str,
    turned: Turned,
    merged: Mapping[str, str],
    zone: str,
) -> Table:
    """Find who has a tag: as the newest turn wrote it, and what was said by hand since."""
    find_tag(state, name)
    rows = _of_turn(engine, "tag_members", turned).filter((_.tag == name) & _.is_member)
    marks = [
        row for row in all_marks(state, zone=zone, aliases=merged).to_pylist() if row["tag"] == name
    ]
    given = _memory([row["customer_id"] for row in marks if row["mark"] == GIVEN])
    taken = _memory([row["customer_id"] for row in marks if row["mark"] != GIVEN])
    has = renamed(rows.select("customer_id"), merged).union(given)
    return has.anti_join(taken, "customer_id")


def _memory(ids: Iterable[str]) -> Table:
    return ibis.memtable(pa.table({"customer_id": pa.array(list(ids), pa.string())}))


def _of_turn(engine: Reader, name: str, turned: Turned) -> Table:
    table = engine.table(name)
    return table.filter(table.turn == turned.number)


def _owner(row: Mapping[str, str | None], merged: Mapping[str, str]) -> str | None:
    primary = primary_identifier(row["user_id"], row["anonymous_id"])
    node = customer_id_of(*primary) if primary else None
    return merged.get(node, node) if node else None


def require_sets(state: State, rule: AudienceRule) -> None:
    """Check that there is what a rule names.

    Raises:
        UnknownName: It names a tag or journey there is none of.
    """
    for one in asked(rule):
        if isinstance(one, Included) and one.kind == "tag":
            find_tag(state, one.name)
        if isinstance(one, Included) and one.kind == "journey":
            _journey_number(state, one.name)


def require_turn(engine: Reader) -> Turned:
    """Find the newest turn.

    Returns:
        The turn.

    Raises:
        NotReady: None has been run.
    """
    turned = newest_turn(engine)
    if turned is None:
        raise NotReady("no profiles yet, and audiences rest on them; run: regulars run --as-of DAY")
    return turned
