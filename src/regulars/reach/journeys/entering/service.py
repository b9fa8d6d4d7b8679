"""Let customers in, once per occurrence; tell those who wait that their event came."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.decide.assignment import held_out
from regulars.numerics.hashing import keys_of
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.journeys.definition.journey import (
    Entry,
    EntryKind,
    Journey,
    Reentry,
    ReentryKind,
)
from regulars.reach.journeys.entering.merged.service import join_stays
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.keeping.versions.service import Numbered, Shelf
from regulars.reach.journeys.running.calling.service import ARRIVES, call, kept, read_events
from regulars.reach.journeys.running.service import running_within
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.journeys.walking.walk import holds
from regulars.settings import Loop

CONTACT, HELD_OUT, HELD_OUT_EVERYWHERE = 0, 1, 2
"""What a customer was drawn for when she came in, as `assignment` keeps it."""
DAY_MS = 86_400_000
MOST_TOLD = 10_000
Place = tuple[int, int]
"""Where among the events that wait: moment in milliseconds, and number."""
BEFORE_ALL: Place = (0, 0)
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Coming:
    """A customer who would come in.

    Attributes:
        customer_id: Who.
        occurrence: What names her coming in, where she may come in at every occurrence.
        at: When, milliseconds.
        start: Node she begins at.
        kept: What the journey keeps of the event; empty for none.
    """

    customer_id: str
    occurrence: str
    at: int
    start: str
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tale:
    """What telling came to.

    Attributes:
        entered: Customers let in, those left alone for measuring included.
        told: Customers inside for whom an event counted.
        until: Milliseconds up to which all events were told: so far everybody may go on.
        is_over: True where nobody moves by these events any more; all that are kept back for
            nobody are forgotten.
        last: Moment and number of the last of these events.
    """

    entered: int
    told: int
    until: int
    is_over: bool
    last: Place


def events_wait(state: State, now: datetime, *, after: Place = BEFORE_ALL) -> bool:
    """Tell whether events of up to now, later than a place among them, wait to be told."""
    with state.reading() as opened:
        return bool(_earliest(opened, now, after, 1))


def tell(
    state: State,
    shelf: Shelf,
    *,
    loop: Loop,
    now: datetime,
    besides: Collection[str] = (),
    kept_back: Collection[int] = (),
    after: Place = BEFORE_ALL,
) -> Tale:
    """Let in whom the earliest events let in, and tell those inside for whom one counts.

    Events are forgotten in the transaction that sees that nobody is told any more and nobody is
    due: nobody walks meanwhile, so nobody can come to a wait for an event just forgotten.

    Args:
        state: The transactional store.
        shelf: Versions read so far.
        loop: Seed and global holdout.
        now: The moment, aware.
        besides: Journeys that cannot go on; nobody waits for them.
        kept_back: Numbers of those among them that will go on soon: they are told nothing, and
            what they listen to is kept for them.
        after: Place after which events are told; those up to it are over for all others.

    Returns:
        What was done.
    """
    with state.transaction() as opened:
        waiting = _earliest(opened, now, after, MOST_TOLD + 1)
        first, later = waiting[:MOST_TOLD], waiting[MOST_TOLD:]
        until = later[0]["at"] - 1 if later else ms_of(now)
        numbers = json.dumps([row["inbox_id"] for row in first])
        join_stays(opened, numbers, now=now)
        events = read_events(opened.all(_SQL["events"], numbers=numbers))
        told = call(opened, shelf, events, besides=kept_back)
        entered = _enter(opened, shelf, events, loop, kept_back)
        is_over = not told and not _anybody_due(opened, until, besides)
        if is_over:
            told = call(opened, shelf, events, is_late=True, besides=kept_back)
            opened.run(_SQL["clear"], numbers=numbers, kept_back=json.dumps(sorted(kept_back)))
    last = (first[-1]["at"], first[-1]["inbox_id"]) if first else after
    return Tale(entered, told, until, is_over, last)


def _earliest(opened: Transaction, now: datetime, after: Place, most: int) -> list[dict[str, Any]]:
    at, number = after
    return opened.all(_SQL["earliest"], now=ms_of(now), at=at, number=number, most=most)


def _enter(
    opened: Transaction,
    shelf: Shelf,
    events: Sequence[Mapping[str, Any]],
    loop: Loop,
    besides: Collection[int],
) -> int:
    entered = 0
    for row in opened.all(_SQL["entries"]):
        if row["journey_no"] in besides:
            continue
        book = shelf.get(opened, row["journey_no"], row["version"])
        # What happened before there was a journey lets nobody into it.
        begun = ms_of(datetime.fromisoformat(row["begun_at"]))
        since = [one for one in events if one["at"] >= begun]
        entered += let_in(opened, book, _comings(book.journey, since), loop=loop)
    return entered


def _anybody_due(opened: Transaction, until: int, besides: Collection[str]) -> bool:
    return any(
        opened.all(_SQL["due"], journey_no=number, until=until)
        for number, journey_id in running_within(opened).items()
        if journey_id not in besides
    )


def let_in(opened: Transaction, book: Numbered, comings: Sequence[Coming], *, loop: Loop) -> int:
    """Let customers in as far as the journey lets them come in again.

    Who is left alone so that the effect can be measured is written down and goes nowhere.

    Args:
        opened: A write transaction nobody else lets anybody in beside.
        book: The version they come in by.
        comings: Who would come in, in the order of moments.
        loop: Seed and global holdout.

    Returns:
        Customers let in, those left alone included.
    """
    if not comings:
        return 0
    before = _before(opened, book.journey_no, comings)
    chosen = list(_admitted(book.journey.reentry, comings, before))
    assigned = _assigned([one.customer_id for one, _, _ in chosen], book.journey, loop)
    rows = [
        _row(book, one, occurrence, times, assignment)
        for (one, occurrence, times), assignment in zip(chosen, assigned, strict=True)
        # Who is left alone is written down once: she would come in by every event.
        if assignment == CONTACT or times == 1
    ]
    if not rows:
        return 0
    return opened.run(
        _SQL["add"], journey_no=book.journey_no, version=book.version, rows=json.dumps(rows)
    )


def _row(book: Numbered, one: Coming, occurrence: str, times: int, assignment: int) -> list[Any]:
    context = json.dumps({"event": dict(one.kept)}, ensure_ascii=False) if one.kept else None
    is_in = assignment == CONTACT
    return [
        one.customer_id,
        occurrence,
        times,
        assignment,
        book.number_by_node[one.start],
        ARRIVES if is_in else 0,
        one.at,
        one.at if is_in else None,
        None if is_in else one.at,
        context,
    ]


def _before(
    opened: Transaction, journey_no: int, comings: Sequence[Coming]
) -> dict[str, dict[str, Any]]:
    customers = sorted({one.customer_id for one in comings})
    rows = opened.all(_SQL["before"], journey_no=journey_no, customers=json.dumps(customers))
    return {row["customer_id"]: row for row in rows}


def _admitted(
    reentry: Reentry, comings: Sequence[Coming], before: dict[str, dict[str, Any]]
) -> Iterable[tuple[Coming, str, int]]:
    """Give who may come in, with the name of the occurrence and which stay it is."""
    for one in comings:
        known = before.get(one.customer_id)
        if known is None:
            occurrence = {
                ReentryKind.NEVER: "",
                ReentryKind.ALWAYS: one.occurrence,
            }.get(reentry.kind, "1")
            before[one.customer_id] = _after_coming(one, 1)
            yield one, occurrence, 1
            continue
        times = known["times"] + 1
        if reentry.kind is ReentryKind.ALWAYS:
            before[one.customer_id] = _after_coming(one, times)
            yield one, one.occurrence, times
        elif reentry.kind is not ReentryKind.NEVER and not known["inside"]:
            since = known["left_at"]
            if reentry.kind is ReentryKind.AFTER_DAYS:
                # What happened while she was inside lets her in as little afterwards.
                since = max(since - 1, known["entered_at"] + reentry.days * DAY_MS - 1)
            if one.at > since:
                before[one.customer_id] = _after_coming(one, times)
                yield one, str(times), times


def _after_coming(one: Coming, times: int) -> dict[str, Any]:
    return {"times": times, "inside": 1, "entered_at": one.at, "left_at": None}


def _assigned(customers: Sequence[str], journey: Journey, loop: Loop) -> list[int]:
    """Draw who is left alone: the same customer always the same way."""
    if not journey.is_marketing:
        return [CONTACT] * len(customers)
    keys = keys_of(list(customers))
    everywhere = held_out(keys, seed=loop.seed, purpose="global", share=loop.global_holdout)
    here = held_out(keys, seed=loop.seed, purpose=run_of(journey.id), share=journey.holdout)
    return [
        HELD_OUT_EVERYWHERE if out else HELD_OUT if held else CONTACT
        for out, held in zip(everywhere.tolist(), here.tolist(), strict=True)
    ]


def _comings(journey: Journey, events: Sequence[Mapping[str, Any]]) -> list[Coming]:
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in journey.entries:
        if entry.kind is EntryKind.EVENT:
            entries[entry.event].append(entry)
    found = []
    for row in events:
        for entry in entries.get(row["name"], ()):
            if holds(entry.where, row["properties"]):
                news = kept(journey, row["properties"])
                found.append(
                    Coming(row["customer_id"], row["message"], row["at"], entry.start, news)
                )
                break
    return found
