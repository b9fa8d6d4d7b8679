"""Refresh audiences: judge again whom news or time concern, note who entered and who left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import ibis
import pyarrow as pa
from ibis import _

from regulars.errors import InputError, Transient
from regulars.ports.engine import Reader
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.understand.segments.audiences.definition import Audience
from regulars.understand.segments.audiences.judging.service import (
    Place,
    Turned,
    newest_turn,
    open_sources,
    require_sets,
)
from regulars.understand.segments.audiences.membership.service import TABLE
from regulars.understand.segments.audiences.membership.tables import (
    ENTERED,
    LEFT,
    changed,
    present,
    sizes,
)
from regulars.understand.segments.audiences.refreshing.basis import (
    Basis,
    hash_of_rows,
    kinds_of,
    read_basis,
)
from regulars.understand.segments.audiences.refreshing.news.service import News
from regulars.understand.segments.audiences.rules import AudienceRule, score_fields
from regulars.understand.segments.audiences.service import list_audiences, whole_rule
from regulars.understand.segments.audiences.tables import Clock, judged

APPLICATION = "understand.audiences"
AT_ONCE = 60
"""Audiences judged in one look."""
MOST_SHARE = 0.3
"""Share of all customers from which on everybody is judged again."""
_QUERIES = Queries("regulars.understand.segments.audiences")


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did with one audience.

    Attributes:
        name: The audience.
        version: Version of its rule.
        members: Members after it.
        entered: Customers who entered.
        left: Customers who left.
        judged: Customers judged.
        is_full: True when everybody was judged.
        problem: Why it could not be judged; "" when it was.
    """

    name: str
    version: int
    members: int = 0
    entered: int = 0
    left: int = 0
    judged: int = 0
    is_full: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Refresh:
    """What a refresh did.

    Attributes:
        number: Its number; that of the one before when nobody entered or left.
        at: The moment audiences were judged as of, aware UTC; None before the first turn.
        audiences: One line per audience, by name.
    """

    number: int
    at: datetime | None
    audiences: tuple[Refreshed, ...]


@dataclass(frozen=True)
class _Look:
    """Audiences judged together: at everybody, or at some customers."""

    names: tuple[str, ...]
    only: frozenset[str] | None = None
    also: pa.Table | None = None


def refresh(
    engine: Reader, state: State, lake: Lake, *, place: Place, names: Collection[str] = ()
) -> Refresh:
    """Judge audiences again, and note who entered and who left.

    Only customers whom new events, consents or the passing of time concern are judged, where the
    rule, the turn, merged ids, tags given by hand and facts of files are those of the last
    refresh; everybody where one of them is not.

    Args:
        engine: Opens the tables.
        state: The transactional store.
        lake: Takes the changes.
        place: The moment and the zone.
        names: Audiences wanted; all when left out.

    Returns:
        What was done. Doing it again at once changes nothing.

    Raises:
        Transient: Another refresh noted changes meanwhile; the same call may be repeated.
    """
    return _Refreshing(engine, state, lake, place).run(names)


Moves = dict[str, tuple[list[str], list[str]]]


class _Refreshing:
    """One refresh."""

    def __init__(self, engine: Reader, state: State, lake: Lake, place: Place) -> None:
        self._engine, self._state, self._lake, self._place = engine, state, lake, place
        # Taken before anything is read: of two refreshes at once, the later to note fails.
        self._number = lake.committed(TABLE, APPLICATION) or 0
        self._known = {one.name: one for one in list_audiences(state)}
        self._kept = self._positions()

    def run(self, names: Collection[str]) -> Refresh:
        turned = newest_turn(self._engine)
        if turned is None:
            return Refresh(self._number, None, ())
        clock, kept = self._place.clock(turned.as_of), self._kept
        wanted = [one for name, one in self._known.items() if not names or name in names]
        rules, problems = self._rules(wanted)
        news = self._news(clock)
        bases = {name: news.basis(rule) for name, rule in rules.items()}
        gone = [name for name in kept if name not in self._known]
        moved: Moves = {name: ([], self._everybody_in(name)) for name in gone}
        done: dict[str, Refreshed] = {}
        for look in self._looks(rules, bases, news):
            own = {name: rules[name] for name in look.names}
            rows = self._judge(own, turned, clock, look)
            moved |= changed(rows, self._members(look), look.names)
            done |= {name: self._line(name, rows.num_rows, look) for name in look.names}
        self._note(clock, moved)
        done = self._counted(done, moved)
        self._move(bases, done, gone)
        done |= {name: self._line(name, problem=why) for name, why in problems.items()}
        return Refresh(self._number, clock.at, tuple(done[name] for name in sorted(done)))

    def _line(
        self, name: str, judged: int = 0, look: _Look | None = None, *, problem: str = ""
    ) -> Refreshed:
        is_full = look is not None and look.only is None
        version = self._known[name].version
        return Refreshed(name, version, judged=judged, is_full=is_full, problem=problem)

    def _news(self, clock: Clock) -> News:
        tables = sorted({"profiles", "tag_members", *(f.partition(".")[0] for f in score_fields())})
        told = hash_of_rows({"file": file} for name in tables for file in self._lake.files(name))
        return News(self._engine, self._state, turn=told, clock=clock, zone=self._place.zone)

    def _positions(self) -> dict[str, Basis]:
        with self._state.reading() as opened:
            rows = opened.all(_QUERIES["positions"])
        return {row["name"]: read_basis(row["basis"]) for row in rows}

    def _rules(self, wanted: Sequence[Audience]) -> tuple[dict[str, AudienceRule], dict[str, str]]:
        """Read the rules; one that cannot be judged keeps no other from being judged."""
        rules: dict[str, AudienceRule] = {}
        problems: dict[str, str] = {}
        for audience in wanted:
            try:
                rule = whole_rule(self._state, audience.rule)
                require_sets(self._state, rule)
                rules[audience.name] = rule
            except InputError as error:
                problems[audience.name] = str(error)
        return rules, problems

    def _looks(
        self,
        rules: Mapping[str, AudienceRule],
        bases: Mapping[str, Basis],
        news: News,
    ) -> list[_Look]:
        """Part the audiences: those whose news concern a few, and those everybody is judged for."""
        alike: dict[str, list[str]] = {}
        everybody: list[str] = []
        for name, rule in rules.items():
            before = self._kept.get(name)
            may = before is not None and before.allows(bases[name])
            if before is None or not may or "journey" in kinds_of(rule):
                everybody.append(name)
            else:
                alike.setdefault(replace(before, rule="", facts="", marks="").as_json(), []).append(
                    name
                )
        looks: list[_Look] = []
        most = MOST_SHARE * self._customers if alike else 0
        for names in alike.values():
            concerned, met = news.concerned([rules[name] for name in names], self._kept[names[0]])
            if len(concerned) > most:
                everybody += names
            else:
                looks.append(_Look(tuple(names), frozenset(concerned), met))
        for start in range(0, len(everybody), AT_ONCE):
            looks.append(_Look(tuple(everybody[start : start + AT_ONCE])))
        return looks

    @property
    def _customers(self) -> int:
        profiles = self._engine.table("profiles")
        newest = profiles.filter(profiles.turn == profiles.turn.max().as_scalar())
        [row] = self._engine.rows(newest.agg(known=_.count()))
        return int(row["known"])

    def _judge(
        self, rules: Mapping[str, AudienceRule], turned: Turned, clock: Clock, look: _Look
    ) -> pa.Table:
        sources = open_sources(
            self._engine,
            self._state,
            rules.values(),
            turned=turned,
            clock=clock,
            zone=self._place.zone,
            only=look.only,
            also=look.also,
        )
        return self._engine.arrow(judged(rules, sources).order_by("customer_id"))

    def _members(self, look: _Look) -> pa.Table:
        noted = self._engine.table(TABLE)
        if look.only is not None:
            ids = pa.table({"wanted": pa.array(sorted(look.only), pa.string())})
            wanted = ibis.memtable(ids)
            noted = noted.semi_join(wanted, noted.customer_id == wanted.wanted)
        return self._engine.arrow(present(noted, look.names))

    def _everybody_in(self, name: str) -> list[str]:
        found = present(self._engine.table(TABLE), [name]).order_by("customer_id")
        ids: list[str] = self._engine.arrow(found).column("customer_id").to_pylist()
        return ids

    def _note(self, clock: Clock, moved: Moves) -> None:
        """Add the changes to the lake, in one commit, which gives the refresh its number."""
        versions = {name: one.version for name, one in self._known.items()}
        rows = [
            pa.table({
                "audience": pa.array([name] * len(ids), pa.string()),
                "version": pa.array([versions.get(name, 0)] * len(ids), pa.int64()),
                "customer_id": pa.array(ids, pa.string()),
                "change": pa.array([change] * len(ids), pa.string()),
            })
            for name in sorted(moved)
            for change, ids in zip((ENTERED, LEFT), moved[name], strict=True)
            if ids
        ]
        if not rows:
            return
        self._number += 1
        whole = pa.concat_tables(rows)
        at = pa.scalar(clock.at, pa.timestamp("us", tz="UTC"))
        whole = whole.append_column("at", pa.repeat(at, len(whole)))
        number = pa.scalar(self._number, pa.int64())
        whole = whole.append_column("refresh", pa.repeat(number, len(whole)))
        whole = whole.select(self._lake.schema(TABLE).names)
        if not self._lake.append(TABLE, whole, application=APPLICATION, version=self._number):
            raise Transient("another refresh of audiences noted changes meanwhile; try again")

    def _counted(self, done: Mapping[str, Refreshed], moved: Moves) -> dict[str, Refreshed]:
        rows = self._engine.rows(sizes(self._engine.table(TABLE), list(done)))
        members = {row["audience"]: int(row["members"]) for row in rows}
        return {
            name: replace(
                one,
                members=members.get(name, 0),
                entered=len(moved[name][0]),
                left=len(moved[name][1]),
            )
            for name, one in done.items()
        }

    def _move(
        self,
        bases: Mapping[str, Basis],
        found: Mapping[str, Refreshed],
        gone: Sequence[str],
    ) -> None:
        """Remember what was judged on; what an older refresh says does not count any more."""
        with self._state.transaction() as opened:
            opened.many(
                _QUERIES["move"],
                [
                    {
                        "name": name,
                        "version": one.version,
                        "refresh": self._number,
                        "refreshed_at": bases[name].at,
                        "basis": bases[name].as_json(),
                        "members": one.members,
                    }
                    for name, one in found.items()
                ],
            )
            opened.many(_QUERIES["forget"], [{"name": name} for name in gone])
