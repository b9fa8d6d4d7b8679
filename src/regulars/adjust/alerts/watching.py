"""Which of a channel's shares and costs have changed, and how badly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from regulars.adjust.alerts.laney_chart import Place, laney_chart

LEAST_TURNS = 4
"""Turns of past a share needs before it is judged."""

LEAST_TRIED = 30
"""Contacts a turn needs before its shares are judged."""

PAST_TURNS = 12
"""Turns of past that are looked back on: a quarter."""


LEAST_CHANGE = 0.1
"""A smaller change of a share, relative to what it was, is told by no alert: a row of thousands
finds differences nobody needs to act on."""


class Kind(StrEnum):
    """What is watched of a channel."""

    DELIVERED = "delivered"
    OPENED = "opened"
    OPTED_OUT = "opted_out"
    FAILED = "failed"


GOOD = frozenset({Kind.DELIVERED, Kind.OPENED})
"""Shares that are better when higher."""


class Gravity(StrEnum):
    """How bad a change is."""

    BETTER = "better"
    WORSE = "worse"
    BROKEN = "broken"


@dataclass(frozen=True)
class Alert:
    """A share that left the range of its past.

    Attributes:
        measured_turn: Turn whose contacts they were.
        channel: The channel.
        kind: The share.
        gravity: better, worse, or broken: less than half of a good share is left, or a bad one
            has more than tripled and concerns at least one contact in fifty.
        place: The share against its past.
        tried: Contacts it is a share of.
    """

    measured_turn: int
    channel: str
    kind: Kind
    gravity: Gravity
    place: Place
    tried: int


def alerts_of(
    counts: Iterable[Mapping[str, Any]],
    measured_turn: int,
    *,
    known: Iterable[tuple[str, str, int]],
) -> list[Alert]:
    """Judge every share of every channel in one turn.

    Args:
        counts: One row per turn and channel: turn, channel, sent, delivered, opened, opted_out,
            failed; turns after the judged one do not count.
        measured_turn: The turn judged.
        known: Channel, kind and turn of earlier alerts: such turns are no past to go by.

    Returns:
        What left its limits, by channel and kind; empty when all is as usual, when a channel
        was used too little, or its past is too short.
    """
    strange = set(known)
    rows = sorted(
        (row for row in counts if row["turn"] <= measured_turn), key=lambda row: row["turn"]
    )
    found = []
    for channel in sorted({row["channel"] for row in rows}):
        mine = [row for row in rows if row["channel"] == channel]
        for kind in Kind:
            alert = _judged(mine, channel, kind, measured_turn, strange)
            if alert:
                found.append(alert)
    return found


def _judged(
    rows: Sequence[Mapping[str, Any]],
    channel: str,
    kind: Kind,
    measured_turn: int,
    strange: set[tuple[str, str, int]],
) -> Alert | None:
    enough = [row for row in rows if _tried(row, kind) >= LEAST_TRIED]
    past = [
        row
        for row in enough
        if row["turn"] < measured_turn and (channel, kind.value, row["turn"]) not in strange
    ][-PAST_TURNS:]
    now = [row for row in enough if row["turn"] == measured_turn]
    if not now or len(past) < LEAST_TURNS:
        return None
    shown = [*past, now[0]]
    place = laney_chart([row[kind] for row in shown], [_tried(row, kind) for row in shown])
    if not place.is_out or abs(place.share - place.usual) < LEAST_CHANGE * place.usual:
        return None
    gravity = _gravity(kind, place)
    return Alert(measured_turn, channel, kind, gravity, place, _tried(now[0], kind))


def _tried(row: Mapping[str, Any], kind: Kind) -> int:
    """Contacts a share is one of: everything tried for failures, what went out for the rest."""
    return int(row["sent"]) + (int(row["failed"]) if kind is Kind.FAILED else 0)


def _gravity(kind: Kind, place: Place) -> Gravity:
    is_higher = place.z > 0
    if is_higher == (kind in GOOD):
        return Gravity.BETTER
    if kind in GOOD:
        return Gravity.BROKEN if place.share < place.usual / 2 else Gravity.WORSE
    is_much = place.share > 3 * place.usual and place.share >= 0.02
    return Gravity.BROKEN if is_much else Gravity.WORSE
