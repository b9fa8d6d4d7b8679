"""The follower that keeps those stored events a journey listens to until the next pass."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.journeys.walking.moments import ms_of
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.unify.identity.service import present_ids

if TYPE_CHECKING:
    from regulars.collect.ingest.batch import EventBatch

_COLUMNS = [
    "source", "message_id", "type", "event", "occurred_at", "received_at", "anonymous_id",
    "user_id", "payload", "marks",
]  # fmt: skip
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Event:
    """Something a customer did, as journeys hear of it.

    Attributes:
        name: Name of the event.
        customer_id: Who did it.
        message: What names it among all events: source and message id.
        at: When it happened, aware.
        properties: What it says.
    """

    name: str
    customer_id: str
    message: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


def listened(opened: Transaction) -> dict[str, int]:
    """Give the events any journey listens to now: number by name."""
    return {row["name"]: row["event_no"] for row in opened.all(_SQL["listened"])}


def hand_in(opened: Transaction, events: Iterable[Event]) -> int:
    """Keep events for journeys until the next pass; those nobody listens to are left out.

    Args:
        opened: The write transaction that also moves the position of whoever hands them in.
        events: What happened.

    Returns:
        Events kept.
    """
    known = listened(opened)
    rows = [
        {
            "event_no": known[one.name],
            "customer_id": one.customer_id,
            "message": one.message,
            "at": ms_of(one.at),
            "properties": json.dumps(dict(one.properties), ensure_ascii=False, default=str),
        }
        for one in events
        if one.name in known
    ]
    opened.many(_SQL["hand_in"], rows)
    return len(rows)


class JourneyFollower:
    """Follows stored events: those some journey listens to wait in the state for the next pass.

    Args:
        state: The workspace's state; events and position move in one transaction.
    """

    name = "journeys"

    def __init__(self, state: State) -> None:
        """Remember the state."""
        self._state = state

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""
        with self._state.reading() as opened:
            return _position(opened, partition)

    def follow(self, batch: "EventBatch", /) -> None:
        """Keep what journeys listen to and move the position, in one transaction."""
        with self._state.reading() as opened:
            known = listened(opened)
        events = _events(self._state, batch.rows, set(known)) if known else []
        with self._state.transaction() as opened:
            if batch.sequence <= _position(opened, batch.partition):
                return
            hand_in(opened, events)
            opened.run(_SQL["move"], log_partition=batch.partition, sequence=batch.sequence)


def _events(state: State, rows: pa.Table, wanted: set[str]) -> list[Event]:
    """Give the events of customers that are wanted; what programs did is left out."""
    named = rows.select(["type", "event", "marks"]).to_pylist()
    places = [
        place for place, row in enumerate(named) if row["marks"] is None and _name_of(row) in wanted
    ]
    found = rows.select(_COLUMNS).take(pa.array(places, pa.int64())).to_pylist()
    nodes = [primary_identifier(row["user_id"], row["anonymous_id"]) for row in found]
    ids = [customer_id_of(*node) if node else "" for node in nodes]
    present = present_ids(state, filter(None, ids))
    return [
        Event(
            _name_of(row),
            present[node],
            f"{row['source']}/{row['message_id']}",
            # A clock ahead of its time would let events count that nobody has waited for yet.
            min(row["occurred_at"], row["received_at"]),
            msgspec.json.decode(row["payload"]).get("properties") or {},
        )
        for row, node in zip(found, ids, strict=True)
        if node
    ]


def _name_of(row: Mapping[str, Any]) -> str:
    kind = row["type"]
    return str(row["event"]) if kind == "track" and row["event"] is not None else f"${kind}"


def _position(opened: Transaction, partition: int) -> int:
    rows = opened.all(_SQL["position"], log_partition=partition)
    return int(rows[0]["sequence"]) if rows else 0
