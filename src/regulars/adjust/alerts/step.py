"""The step that watches channels, and leaves alone what has broken."""

from collections.abc import Callable, Sequence, Set
from typing import Any

import pyarrow as pa
from ibis import _

from regulars.adjust.alerts.holding import Guardrails, Hold, Word, hold_channels
from regulars.adjust.alerts.tables import channel_counts
from regulars.adjust.alerts.watching import Alert, alerts_of, effect_alert
from regulars.adjust.autotune.readouts import pooled_readouts
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import TABLES, Turn


@step(reads="contacts contact_outcomes effects alerts channel_holds", writes="alerts channel_holds")
def watch_channels(
    engine: Engine,
    turn: Turn,
    *,
    channels: Sequence[str],
    words: Sequence[Word],
    rails: Guardrails,
    ask: Callable[[Sequence[Alert]], None] = lambda _alerts: None,
    unlearned: Set[int] = frozenset(),
) -> int:
    """Judge what became of the last turn's contacts, and hold what has broken.

    Args:
        engine: The engine bound to this step.
        turn: The turn about to decide.
        channels: The channels of the workspace.
        words: What people said of channels.
        rails: How far the system may go by itself.
        ask: Asks people about what a guardrail leaves to them.
        unlearned: Turns nothing is to be learned from: their effects are neither judged nor a
            past to go by.

    Returns:
        Alerts written.
    """
    counts = engine.rows(
        channel_counts(engine.table("contacts"), engine.table("contact_outcomes"), turn=turn.number)
    )
    earlier = engine.rows(engine.table("alerts").filter(_.turn < turn.number).order_by("turn"))
    known = [(row["channel"], row["kind"], row["measured_turn"]) for row in earlier]
    newest = max((row["turn"] for row in counts), default=0)
    found = alerts_of(counts, newest, known=known) if newest == turn.number - 1 else []
    found += _effects(engine, turn.number, known, unlearned)
    held = engine.rows(
        engine.table("channel_holds").filter(_.turn == turn.number - 1).order_by("channel")
    )
    before = [Hold(**{name: row[name] for name in Hold.__annotations__}) for row in held]
    moves = hold_channels(
        turn.number, channels, before=before, alerts=found, words=words, rails=rails
    )
    _write(engine, "channel_holds", [one.__dict__ for one in moves.holds])
    rows = [_told(one, moves.action_by_channel.get(one.channel, "none")) for one in found]
    ask([one for one, row in zip(found, rows, strict=True) if row["action"] == "needs_person"])
    return _write(engine, "alerts", rows)


def _effects(
    engine: Engine, turn: int, known: Sequence[tuple[str, str, int]], unlearned: Set[int]
) -> list[Alert]:
    """Judge the newest turn whose effect was read just now."""
    whole = engine.table("effects").filter(
        _.turn <= turn,
        _.campaign_id == "*",
        _.metric == "margin",
        _.status == "ok",
        _.treated > 0,
    )
    read = engine.rows(whole.order_by("turn", "measured_turn"))
    rows = [row for row in read if row["measured_turn"] not in unlearned]
    fresh = [row["measured_turn"] for row in rows if row["turn"] == turn]
    alert = effect_alert(pooled_readouts(rows), max(fresh), known=known) if fresh else None
    return [alert] if alert else []


def _told(alert: Alert, action: str) -> dict[str, Any]:
    place = alert.place
    return {
        "measured_turn": alert.measured_turn,
        "channel": alert.channel,
        "kind": alert.kind.value,
        "gravity": alert.gravity.value,
        "share": place.share,
        "usual": place.usual,
        "low": place.low,
        "high": place.high,
        "z": place.z,
        "tried": alert.tried,
        "action": action if alert.gravity.value == "broken" else "none",
    }


def _write(engine: Engine, name: str, rows: list[dict[str, Any]]) -> int:
    names = [column for column in TABLES[name].names if column != "turn"]
    return engine.write(name, pa.table({one: [row[one] for row in rows] for one in names}))
