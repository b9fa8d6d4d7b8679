"""Which shares and costs of a channel, and which effects, have changed, and how badly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from regulars.adjust.alerts.laney_chart import Place, laney_chart
from regulars.adjust.alerts.levels import estimates_chart, individuals_chart
from regulars.adjust.autotune.spend_share import Readout

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
    """What is watched: shares of a channel's contacts, their cost, and what all contacts cause."""

    DELIVERED = "delivered"
    OPENED = "opened"
    OPTED_OUT = "opted_out"
    FAILED = "failed"
    COST = "cost"
    EFFECT = "effect"


GOOD = frozenset({Kind.DELIVERED, Kind.OPENED, Kind.EFFECT})
"""What is better when higher."""

EVERY = "*"
"""Stands for all channels: effects are measured by campaign, and campaigns use several."""


class Gravity(StrEnum):
    """How bad a change is."""

    BETTER = "better"
    WORSE = "worse"
    BROKEN = "broken"


@dataclass(frozen=True)
class Alert:
    """A share, cost or effect that left the range of its past.

    Attributes:
        measured_turn: Turn whose contacts they were.
        channel: The channel; "*" for all.
        kind: What changed.
        gravity: better, worse, or broken: less than half of a good figure is left, a cost has
            more than doubled, or a bad share has more than tripled and concerns at least one
            contact in fifty.
        place: The figure against its past: a share, or money per contact.
        tried: Contacts it is about.
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
            failed, cost; turns after the judged one do not count.
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
        for kind in (one for one in Kind if one is not Kind.EFFECT):
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
    # A channel that reports nothing back has no number of what was delivered or opened.
    counted = [row for row in rows if row[kind] is not None]
    enough = [row for row in counted if _tried(row, kind) >= LEAST_TRIED]
    past = [
        row
        for row in enough
        if row["turn"] < measured_turn and (channel, kind.value, row["turn"]) not in strange
    ][-PAST_TURNS:]
    now = [row for row in enough if row["turn"] == measured_turn]
    if not now or len(past) < LEAST_TURNS:
        return None
    shown = [*past, now[0]]
    tried = [_tried(row, kind) for row in shown]
    if kind is Kind.COST:
        money = [float(row["cost"]) / size for row, size in zip(shown, tried, strict=True)]
        place = individuals_chart(money)
    else:
        place = laney_chart([row[kind] for row in shown], tried)
    return _alert(measured_turn, channel, kind, place, tried[-1])


def effect_alert(
    readouts: Iterable[Readout], measured_turn: int, *, known: Iterable[tuple[str, str, int]]
) -> Alert | None:
    """Judge what all contacts of one turn caused, against what those before caused.

    Args:
        readouts: Readable effects on margin of all campaigns of a turn together, by turn.
        measured_turn: The turn judged.
        known: As `alerts_of` takes it.

    Returns:
        The alert; None when the effect is as usual, was not read, or its past is too short.
    """
    strange = {turn for channel, kind, turn in known if (channel, kind) == (EVERY, Kind.EFFECT)}
    told = (one for one in readouts if one.treated >= LEAST_TRIED and one.standard_error > 0)
    by_turn = {one.turn: one for one in told}
    past = [by_turn[turn] for turn in sorted(by_turn) if turn < measured_turn]
    past = [one for one in past if one.turn not in strange][-PAST_TURNS:]
    if measured_turn not in by_turn or measured_turn in strange or len(past) < LEAST_TURNS:
        return None
    shown = [*past, by_turn[measured_turn]]
    place = estimates_chart(
        [one.estimate / one.treated for one in shown],
        [one.standard_error / one.treated for one in shown],
    )
    return _alert(measured_turn, EVERY, Kind.EFFECT, place, shown[-1].treated)


def _alert(measured_turn: int, channel: str, kind: Kind, place: Place, tried: int) -> Alert | None:
    if not place.is_out or abs(place.share - place.usual) < LEAST_CHANGE * abs(place.usual):
        return None
    return Alert(measured_turn, channel, kind, _gravity(kind, place), place, tried)


def _tried(row: Mapping[str, Any], kind: Kind) -> int:
    """Contacts a share is one of: everything tried for failures, what went out for the rest."""
    return int(row["sent"]) + (int(row["failed"]) if kind is Kind.FAILED else 0)


def _gravity(kind: Kind, place: Place) -> Gravity:
    is_higher = place.z > 0
    if is_higher == (kind in GOOD):
        return Gravity.BETTER
    if kind in GOOD:
        return Gravity.BROKEN if place.share < place.usual / 2 else Gravity.WORSE
    if kind is Kind.COST:
        return Gravity.BROKEN if place.share > 2 * place.usual else Gravity.WORSE
    is_much = place.share > 3 * place.usual and place.share >= 0.02
    return Gravity.BROKEN if is_much else Gravity.WORSE
