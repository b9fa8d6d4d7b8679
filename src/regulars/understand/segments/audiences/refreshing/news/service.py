"""Say what judgements rest on now, and find whom news and the passing of time concern."""

import json
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import BooleanValue, Table

from regulars.govern.consent.service import changed_since
from regulars.numerics.days import day_of
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.understand.segments.audiences.judging.activity import by_table, relevant
from regulars.understand.segments.audiences.judging.service import owners
from regulars.understand.segments.audiences.refreshing.basis import (
    Basis,
    hash_of,
    hash_of_rows,
    kinds_of,
)
from regulars.understand.segments.audiences.rules import HAPPENINGS, AudienceRule, Clause
from regulars.understand.segments.audiences.tables import Clock, due, first_day, names_of
from regulars.unify.identity.service import aliases, count_merges
from regulars.unify.tags.rules import asked
from regulars.unify.tags.service import all_marks


class News:
    """What there is now, looked at once.

    Args:
        engine: Opens the tables.
        state: The transactional store.
        turn: What tells the newest turn's tables from any others.
        clock: When audiences are judged.
        zone: IANA zone a day is told in.
    """

    def __init__(self, engine: Reader, state: State, *, turn: str, clock: Clock, zone: str) -> None:
        """Open the events once, so that all of a refresh sees the same ones."""
        self._engine, self._state, self._zone = engine, state, zone
        self._turn, self._clock = turn, clock
        self._events = engine.table("events")
        self._told: dict[str, str] = {}

    def basis(self, rule: AudienceRule) -> Basis:
        """Say what a judgement of a rule rests on now.

        Args:
            rule: The rule, audiences it names put in place.

        Returns:
            The basis; equal parts of an earlier one mean that nothing changed there.
        """
        kinds = kinds_of(rule)
        facts = sorted(names_of(asked(rule)) & HAPPENINGS.keys())
        return Basis(
            rule=hash_of(rule),
            turn=self._turn,
            merges=self._merges,
            marks=self._marks if "tag" in kinds else "",
            facts=" ".join(map(self._fact, facts)),
            consents=self._consents if "consent" in kinds else 0,
            at=self._clock.at.isoformat(),
            as_of=self._clock.as_of.isoformat(),
            batches=self._batches,
        )

    def concerned(
        self, rules: Iterable[AudienceRule], since: Basis
    ) -> tuple[set[str], pa.Table | None]:
        """Find whom news or the passing of time concern.

        Args:
            rules: Rules that were judged on the same basis.
            since: That basis, which still allows to judge only some.

        Returns:
            Present customer ids, and identifiers they were met by (user_id, anonymous_id).
        """
        whole = list(rules)
        clauses = list(dict.fromkeys(one for rule in whole for one in asked(rule)))
        found: set[str] = set()
        if any("consent" in kinds_of(rule) for rule in whole):
            said = changed_since(self._state, since.consents)[1]
            found |= {self._merged.get(one, one) for one in said}
        names, number = names_of(clauses), first_day(clauses, since.clock.as_of)
        if not names or number is None:
            return found, None
        for fact in sorted(names & HAPPENINGS.keys()):
            found |= self._due_facts(fact, clauses, since)
        if names <= HAPPENINGS.keys():
            return found, None
        events = relevant(self._events, names, since=day_of(number))
        events = events.filter(
            _newer(events, since.batches) | due(clauses, events, since=since.clock, now=self._clock)
        )
        ids, identifiers = owners(self._engine, events, self._merged)
        return found | ids, identifiers

    def _due_facts(self, fact: str, clauses: Collection[Clause], since: Basis) -> set[str]:
        table, moment = HAPPENINGS[fact]
        happened = by_table(
            self._engine.table(table), fact, moment, zone=self._zone, until=self._clock.as_of
        )
        found = happened.filter(due(clauses, happened, since=since.clock, now=self._clock))
        rows = self._engine.arrow(found.select("customer_id").distinct())
        return {self._merged.get(one, one) for one in rows.column("customer_id").to_pylist()}

    def _fact(self, fact: str) -> str:
        """Say in short how a fact stands: it changes whenever the table does."""
        if fact not in self._told:
            table, moment = HAPPENINGS[fact]
            rows = self._engine.table(table)
            told = rows.select("customer_id", at=rows[moment].epoch_seconds().cast("int64"))
            [row] = self._engine.rows(
                told.agg(rows=_.count(), customers=_.customer_id.nunique(), moments=_.at.sum())
            )
            self._told[fact] = f"{fact}:{row['rows']}/{row['customers']}/{row['moments']}"
        return self._told[fact]

    @cached_property
    def _merged(self) -> Mapping[str, str]:
        return aliases(self._state)

    @cached_property
    def _merges(self) -> int:
        return count_merges(self._state)

    @cached_property
    def _marks(self) -> str:
        rows = all_marks(self._state, zone=self._zone, aliases={}).to_pylist()
        return json.dumps([len(rows), hash_of_rows(rows)])

    @cached_property
    def _consents(self) -> int:
        return changed_since(self._state, 1 << 60)[0]

    @cached_property
    def _batches(self) -> dict[str, int]:
        events = self._events
        rows = self._engine.rows(
            events
            .group_by("log_partition")
            .agg(last=_.log_sequence.max())
            .order_by("log_partition")
        )
        return {str(row["log_partition"]): row["last"] for row in rows}


def _newer(events: Table, batches: Mapping[str, int]) -> BooleanValue:
    seen = [int(partition) for partition in batches]
    newer: list[BooleanValue] = [
        (events.log_partition == int(partition)) & (events.log_sequence > last)
        for partition, last in batches.items()
    ]
    unseen = ~events.log_partition.isin(seen) if seen else ibis.literal(True)
    found: BooleanValue = ibis.or_(unseen, *newer)
    return found
