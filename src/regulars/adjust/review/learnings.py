"""What has been learned: each belief with the experiments it rests on."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.adjust.autotune.knowledge import EFFECT


@dataclass(frozen=True)
class Cited:
    """An experiment a learning rests on.

    Attributes:
        turn: Turn whose contacts were measured.
        campaigns: Its campaigns of the same offer; every one has a holdout of its own.
        treated: Customers contacted in them.
        control: Customers held out of them.
        estimate: Margin they caused together; None when none may be read.
        low: Lower end of the interval, summed as if independent; None likewise.
        high: Upper end likewise.
    """

    turn: int
    campaigns: tuple[str, ...]
    treated: int
    control: int
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Learning:
    """One thing believed, and why.

    Attributes:
        subject: What it is about: offer and channel.
        offer_id: The offer.
        channel: The channel.
        first: Orders per contact, discounts taken off, believed before any evidence.
        now: The same as believed now.
        changed_in: Turn that changed it last.
        cites: Experiments it rests on, the newest first.
    """

    subject: str
    offer_id: str
    channel: str
    first: float | None
    now: float
    changed_in: int
    cites: tuple[Cited, ...]


def learnings_of(
    adjustments: Iterable[Mapping[str, Any]], effects: Iterable[Mapping[str, Any]]
) -> list[Learning]:
    """Put beliefs beside the experiments that moved them.

    Args:
        adjustments: Rows of table `adjustments`.
        effects: Rows of table `effects` about margin; a turn measured twice counts as measured
            last.

    Returns:
        One per offer and channel that evidence has moved, by subject. Every turn its changes
        cite is found among the experiments, with what the offer's own campaigns showed.
    """
    measured = _measured(effects)
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in adjustments:
        if row["subject"].startswith(EFFECT):
            rows.setdefault(row["subject"], []).append(row)
    found = []
    for subject, mine in sorted(rows.items()):
        ordered = sorted(mine, key=lambda row: row["turn"])
        name = subject.removeprefix(EFFECT)
        offer, _colon, channel = name.rpartition(":")
        anew = [place for place, row in enumerate(ordered) if _is_anew(row)]
        counted = ordered[anew[-1] if anew else 0 :]
        turns = sorted({turn for row in counted for turn in _cited_turns(row)}, reverse=True)
        cites = [_cited(turn, offer, measured.get(turn, [])) for turn in turns]
        first, last = ordered[0], ordered[-1]
        found.append(
            Learning(
                name, offer, channel, first["before"], last["after"], last["turn"], tuple(cites)
            )
        )
    return found


def _cited_turns(row: Mapping[str, Any]) -> list[int]:
    evidence = json.loads(row["evidence"] or "{}")
    return [int(turn) for turn in evidence.get("measured_turns", {})]


def _is_anew(row: Mapping[str, Any]) -> bool:
    """Tell whether all was learned again from the start, so that earlier rows count no more."""
    return bool(json.loads(row["evidence"] or "{}").get("is_anew"))


def _measured(effects: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Effects by measured turn, as measured last."""
    newest: dict[tuple[int, str], Mapping[str, Any]] = {}
    for row in effects:
        key = (row["measured_turn"], row["campaign_id"])
        if key not in newest or row["turn"] > newest[key]["turn"]:
            newest[key] = row
    found: dict[int, list[Mapping[str, Any]]] = {}
    for (turn, _campaign), row in sorted(newest.items()):
        found.setdefault(turn, []).append(row)
    return found


def _cited(turn: int, offer: str, rows: Iterable[Mapping[str, Any]]) -> Cited:
    mine = [row for row in rows if row["campaign_id"].rpartition("-")[0] == offer]
    good = [row for row in mine if row["status"] == "ok"]
    estimate = sum(row["estimate"] for row in good) if good else None
    low = high = None
    if estimate is not None:
        low = estimate - sum((row["estimate"] - row["low"]) ** 2 for row in good) ** 0.5
        high = estimate + sum((row["high"] - row["estimate"]) ** 2 for row in good) ** 0.5
    return Cited(
        turn,
        tuple(row["campaign_id"] for row in mine),
        sum(row["treated"] for row in mine),
        sum(row["control"] for row in mine),
        estimate,
        low,
        high,
    )
