"""Call on whoever waits, or is taken out, by an event that happened while she stood there."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from regulars.ports.state import Queries, Transaction
from regulars.reach.journeys.definition.journey import ExitEvent, Journey
from regulars.reach.journeys.definition.nodes import WaitForEvent
from regulars.reach.journeys.keeping.versions.service import Numbered, Shelf
from regulars.reach.journeys.walking.walk import holds

ARRIVES, EVENT_CAME, CALLED_OUT, CALLED_TO_GOAL = -1, -2, -3, -4
"""What `waits_for` says where no event is waited for."""
_SQL = Queries(__package__)


def call(
    opened: Transaction,
    shelf: Shelf,
    events: Sequence[Mapping[str, Any]],
    *,
    among: frozenset[int] | None = None,
    besides: Collection[int] = (),
    is_late: bool = False,
) -> int:
    """Tell each of those inside of the first event that counts for her.

    Telling the same events again changes nothing: an event counts only for those who waited
    before it happened, and whoever was called on waits no more.

    Args:
        opened: A write transaction; nobody else walks those it tells meanwhile.
        shelf: Versions read so far.
        events: Rows of the inbox with the name of the event, properties read.
        among: Stays that are told; None for all.
        besides: Numbers of journeys that are told nothing.
        is_late: True for those who should have gone on before an event and could not, such as
            by a journey that is paused: what happens meanwhile counts for them.

    Returns:
        Customers told.
    """
    by_number = {row["inbox_id"]: row for row in events}
    numbers = json.dumps(list(by_number))
    matches = opened.all(_SQL["matches"], numbers=numbers, is_late=int(is_late))
    told: dict[int, dict[str, Any]] = {}
    for row in matches:
        stay = row["instance_id"]
        if stay in told or row["journey_no"] in besides:
            continue
        if among is not None and stay not in among:
            continue
        book = shelf.get(opened, row["journey_no"], row["version"])
        event = by_number[row["inbox_id"]]
        signal = _signal(book, row, event)
        if signal:
            told[stay] = _called(book.journey, row, event, signal)
    return opened.many(_SQL["signal"], list(told.values()))


def read_events(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read the properties of rows of the inbox."""
    return [{**row, "properties": json.loads(row["properties"])} for row in rows]


def call_parked(opened: Transaction, shelf: Shelf, parked: Mapping[int, str], *, until: int) -> int:
    """Tell those who have come to a place they are to leave again at once what happened there.

    Args:
        opened: The write transaction that took them there.
        shelf: Versions read so far.
        parked: Customer by stay.
        until: Milliseconds up to which people go on.

    Returns:
        Customers told.
    """
    if not parked:
        return 0
    customers = json.dumps(sorted(set(parked.values())))
    events = read_events(opened.all(_SQL["hers"], customers=customers, until=until))
    return call(opened, shelf, events, among=frozenset(parked)) if events else 0


def kept(journey: Journey, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a journey keeps of an event."""
    return {name: properties[name] for name in journey.keeps if name in properties}


def _called(
    journey: Journey, row: Mapping[str, Any], event: Mapping[str, Any], signal: int
) -> dict[str, Any]:
    context = json.loads(row["context"]) if row["context"] else {}
    news = kept(journey, event["properties"])
    if news:
        context["event"] = context.get("event", {}) | news
    return {
        "instance_id": row["instance_id"],
        "signal": signal,
        "at": event["at"],
        "waited": row["waits_for"],
        "until": row["wake_at"],
        "context": json.dumps(context, ensure_ascii=False) if context else None,
    }


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
