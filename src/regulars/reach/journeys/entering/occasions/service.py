"""Let in whose day has come, whoever a schedule takes, and whoever came into an audience."""

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from regulars.errors import RegularsError, UnknownName
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.definition import Audience, AudienceKind
from regulars.reach.delivery.runs import stamp
from regulars.reach.journeys.definition.journey import Entry, EntryKind
from regulars.reach.journeys.entering.occasions.days import month_days_on, number_of, occasions_of
from regulars.reach.journeys.entering.service import Coming, let_in
from regulars.reach.journeys.keeping.versions.service import Numbered, Shelf
from regulars.reach.journeys.running.calling.service import kept
from regulars.reach.journeys.walking.moments import ms_of
from regulars.settings import Settings

MOST_AT_ONCE = 10_000
_SQL = Queries(__package__)
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_LOG = logging.getLogger("regulars.reach.journeys")

Members = Callable[[Audience], Collection[str]]
"""Gives everybody in an audience now."""
DateSource = Callable[[Transaction, date], Mapping[str, Mapping[str, Any]]]
"""Gives the customers whose day a day is, each with what a journey may keep of it."""


@dataclass(frozen=True)
class Calendar:
    """What occasions are looked up with.

    Attributes:
        settings: Zone, seed and global holdout.
        members: Who is in an audience.
        dates: Whose day a day is, by field; birthdays are known without it.
        refreshed: When a saved audience was last judged, by its name; "" for never.
    """

    settings: Settings
    members: Members
    dates: Mapping[str, DateSource] = field(default_factory=dict)
    refreshed: Callable[[str], str] = lambda _name: ""


def known_dates(dates: Mapping[str, DateSource] | None = None) -> tuple[str, ...]:
    """Name the fields an entry by date may name."""
    return tuple(sorted({"birthday", *(dates or {})}))


def take_occasions(
    state: State, shelf: Shelf, calendar: Calendar, *, now: datetime
) -> tuple[int, dict[str, str]]:
    """Let customers in by every entry whose time has come; a second time changes nothing.

    Args:
        state: The transactional store.
        shelf: Versions read so far.
        calendar: What occasions are looked up with.
        now: The moment, aware.

    Returns:
        Customers let in, and why a journey's entries could not be looked at, by its id.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["journeys"])
        books = [(row, shelf.get(opened, row["journey_no"], row["version"])) for row in rows]
    entered, errors = 0, {}
    for row, book in books:
        taking = _Taking(state, book, calendar, now)
        try:
            for entry in book.journey.entries:
                entered += taking.take(entry, datetime.fromisoformat(row["begun_at"]))
        except RegularsError as error:
            errors[row["journey_id"]] = str(error)
        except Exception as error:
            _LOG.exception("journey %s could let nobody in", row["journey_id"])
            errors[row["journey_id"]] = f"{type(error).__name__}: {error}"
    return entered, errors


class _Taking:
    """The entries of one journey at one moment."""

    def __init__(self, state: State, book: Numbered, calendar: Calendar, now: datetime) -> None:
        self._state, self._book, self._calendar, self._now = state, book, calendar, now

    def take(self, entry: Entry, since: datetime) -> int:
        """Let in by one entry; gives how many."""
        if entry.kind is EntryKind.EVENT:
            return 0
        names = {"journey_no": self._book.journey_no, "entry": number_of(entry)}
        with self._state.reading() as opened:
            taken = {row["occasion"] for row in opened.all(_SQL["taken"], **names)}
        if entry.kind is EntryKind.AUDIENCE:
            return self._by_audience(entry, names, taken)
        zone, entered = self._calendar.settings.retailer.zone, 0
        for day, moment in occasions_of(entry, since=since, now=self._now, zone=zone):
            if day.isoformat() not in taken:
                entered += self._by_day(entry, names, day, moment)
        return entered

    def _by_day(self, entry: Entry, names: dict[str, int], day: date, moment: datetime) -> int:
        customers, entered = self._on(entry, day), 0
        names_of = sorted(customers)
        for start in range(0, len(names_of), MOST_AT_ONCE):
            part = names_of[start : start + MOST_AT_ONCE]
            comings = [
                self._coming(one, entry, day.isoformat(), ms_of(moment), customers[one])
                for one in part
            ]
            with self._state.transaction() as opened:
                entered += self._let_in(opened, comings)
        self._mark(names, day.isoformat(), entered)
        return entered

    def _on(self, entry: Entry, day: date) -> Mapping[str, Mapping[str, Any]]:
        """Whose day it is, with what there is to keep of it."""
        calendar = self._calendar
        if entry.kind is EntryKind.SCHEDULE:
            assert entry.audience is not None
            return dict.fromkeys(calendar.members(entry.audience), _NOTHING)
        with self._state.reading() as opened:
            if entry.field == "birthday":
                days = json.dumps(month_days_on(day, entry.days))
                rows = opened.all(_SQL["born_on"], days=days)
                found: Mapping[str, Mapping[str, Any]] = {
                    row["customer_id"]: _NOTHING for row in rows
                }
            elif entry.field in calendar.dates:
                begun = day - timedelta(days=entry.days)
                found = calendar.dates[entry.field](opened, begun)
            else:
                raise UnknownName("date of a customer", entry.field, known_dates(calendar.dates))
        if entry.audience is None:
            return found
        members = calendar.members(entry.audience)
        return {customer: says for customer, says in found.items() if customer in members}

    def _by_audience(self, entry: Entry, names: dict[str, int], taken: set[str]) -> int:
        """By audience: who came into it since the last refresh of a saved one, or the last hour."""
        assert entry.audience is not None
        hour = f"{self._now:%Y-%m-%dT%H}"
        if entry.audience.kind is AudienceKind.AUDIENCE:
            hour = self._calendar.refreshed(entry.audience.name)
        if not hour or hour in taken:
            return 0
        members = set(self._calendar.members(entry.audience))
        with self._state.reading() as opened:
            known = {row["customer_id"] for row in opened.all(_SQL["members"], **names)}
        # Who is in the audience when the journey begins has not come into it.
        is_first, now, entered = not taken, ms_of(self._now), 0
        joining = sorted(members - known)
        for start in range(0, len(joining), MOST_AT_ONCE):
            part = joining[start : start + MOST_AT_ONCE]
            with self._state.transaction() as opened:
                rows: list[dict[str, Any]] = [
                    names | {"customer_id": one, "since": now} for one in part
                ]
                opened.many(_SQL["join"], rows)
                if not is_first:
                    comings = [self._coming(one, entry, f"audience {now}", now) for one in part]
                    entered += self._let_in(opened, comings)
        with self._state.transaction() as opened:
            gone = [names | {"customer_id": one} for one in sorted(known - members)]
            opened.many(_SQL["leave"], gone)
        self._mark(names, hour, entered)
        return entered

    def _coming(
        self,
        customer: str,
        entry: Entry,
        occurrence: str,
        at: int,
        says: Mapping[str, Any] = _NOTHING,
    ) -> Coming:
        name = f"{number_of(entry)}/{occurrence}"
        return Coming(customer, name, at, entry.start, kept(self._book.journey, says))

    def _let_in(self, opened: Transaction, comings: Sequence[Coming]) -> int:
        return let_in(opened, self._book, comings, loop=self._calendar.settings.loop)

    def _mark(self, names: dict[str, int], occasion: str, customers: int) -> None:
        with self._state.transaction() as opened:
            opened.run(
                _SQL["take"],
                **names,
                occasion=occasion,
                customers=customers,
                at=stamp(self._now),
            )
