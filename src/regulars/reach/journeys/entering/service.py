"""Let customers in, once per occurrence; tell those who wait that their event came."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.decide.assignment import held_out
from regulars.numerics.hashing import keys_of
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.journeys.definition.journey import (
    Entry,
    EntryKind,
    ExitEvent,
    Journey,
    Reentry,
    ReentryKind,
)
from regulars.reach.journeys.definition.nodes import WaitForEvent
from regulars.reach.journeys.entering.merged.service import join_stays
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.keeping.versions.service import Numbered, Shelf
from regulars.reach.journeys.running.service import (
    ARRIVES,
    CALLED_OUT,
    CALLED_TO_GOAL,
    EVENT_CAME,
)
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.journeys.walking.walk import holds
from regulars.settings import Loop

CONTACT, HELD_OUT, HELD_OUT_EVERYWHERE = 0, 1, 2
"""What a customer was drawn for when she came in, as `assignment` keeps it."""
DAY_MS = 86_400_000
MOST_TOLD = 10_000
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


def next_span(state: State) -> tuple[int, int] | None:
    """Give the first and last number of the events to look at next; None when none wait."""
    with state.reading() as opened:
        [row] = opened.all(_SQL["span"], most=MOST_TOLD)
    return (row["first"], row["last"]) if row["first"] is not None else None


def clear(state: State, span: tuple[int, int]) -> None:
    """Forget events everybody concerned has been told of."""
    with state.transaction() as opened:
        opened.run(_SQL["clear"], first=span[0], last=span[1])


def tell(
    state: State,
    shelf: Shelf,
    span: tuple[int, int],
    *,
    loop: Loop,
    now: datetime,
    is_late: bool = False,
) -> tuple[int, int]:
    """Let in whom events let in, and tell those inside for whom an event counts.

    Telling the same events again changes nothing: an occurrence lets nobody in twice, and an
    event counts only for those who waited before it happened.

    Args:
        state: The transactional store.
        shelf: Versions read so far.
        span: First and last number of the events.
        loop: Seed and global holdout.
        now: The moment, aware.
        is_late: True for those who should have gone on before an event and could not, such as
            by a journey that is paused: what happens meanwhile counts for them.

    Returns:
        Customers let in, customers told.
    """
    with state.transaction() as opened:
        join_stays(opened, span, now=now)
        rows = opened.all(_SQL["events"], first=span[0], last=span[1])
        events = [row | {"properties": json.loads(row["properties"])} for row in rows]
        matches = opened.all(_SQL["matches"], first=span[0], last=span[1], is_late=int(is_late))
        told = _tell(opened, shelf, matches, {row["inbox_id"]: row for row in events})
        entered = 0
        for row in opened.all(_SQL["entries"]):
            book = shelf.get(opened, row["journey_no"], row["version"])
            # What happened before there was a journey lets nobody into it.
            begun = ms_of(datetime.fromisoformat(row["begun_at"]))
            since = [one for one in events if one["at"] >= begun]
            entered += let_in(opened, book, _comings(book.journey, since), loop=loop)
    return entered, told


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
                since = known["entered_at"] + reentry.days * DAY_MS - 1
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
                kept = _kept(journey, row["properties"])
                found.append(
                    Coming(row["customer_id"], row["message"], row["at"], entry.start, kept)
                )
                break
    return found


def _kept(journey: Journey, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: properties[name] for name in journey.keeps if name in properties}


def _tell(
    opened: Transaction,
    shelf: Shelf,
    matches: Sequence[Mapping[str, Any]],
    events: Mapping[int, Mapping[str, Any]],
) -> int:
    """Tell each of those inside of the first event that counts for her."""
    told: dict[int, dict[str, Any]] = {}
    for row in matches:
        if row["instance_id"] in told:
            continue
        book = shelf.get(opened, row["journey_no"], row["version"])
        event = events[row["inbox_id"]]
        signal = _signal(book, row, event)
        if signal:
            context = json.loads(row["context"]) if row["context"] else {}
            kept = _kept(book.journey, event["properties"])
            if kept:
                context["event"] = context.get("event", {}) | kept
            told[row["instance_id"]] = {
                "instance_id": row["instance_id"],
                "signal": signal,
                "at": event["at"],
                "waited": row["waits_for"],
                "until": row["wake_at"],
                "context": json.dumps(context, ensure_ascii=False) if context else None,
            }
    return opened.many(_SQL["signal"], list(told.values()))


def _signal(book: Numbered, row: Mapping[str, Any], event: Mapping[str, Any]) -> int:
    """Say what an event is to somebody inside; 0 when it is nothing to her."""
    for exit_on in book.journey.exits:
        if _takes_out(exit_on, event):
            return CALLED_TO_GOAL if exit_on.is_goal else CALLED_OUT
    does = book.journey.nodes[book.node_by_number[row["node_no"]]].does
    if (
        isinstance(does, WaitForEvent)
        and row["waits_for"] == event["event_no"]
        and event["at"] > row["wake_at"] - does.seconds * 1000
        and holds(does.where, event["properties"])
    ):
        return EVENT_CAME
    return 0


def _takes_out(exit_on: ExitEvent, event: Mapping[str, Any]) -> bool:
    return exit_on.event == event["name"] and holds(exit_on.where, event["properties"])
