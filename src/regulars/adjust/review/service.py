"""Reads the tables a review is made of."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ibis import _

from regulars.adjust.review.cycle import Changed, Checked, Cycle, Done, Planned
from regulars.adjust.review.learnings import Learning, learnings_of
from regulars.errors import UnknownName
from regulars.ports.engine import Reader

ALL = "*"
_PLANNED = ("bound_by", "spend", "expected", "low", "high", "points", "why")
_SAID = ("predicted", "measured", "low", "high")


def change_log(engine: Reader, *, turn: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """List what was changed, newest first: beliefs, parameters, channels held.

    Args:
        engine: Opens the lake.
        turn: Changes of one turn only; 0 for all.
        limit: Most rows to give.

    Returns:
        One row per change: turn, subject, before, after, evidence (as it was kept).
    """
    changes, holds = engine.table("adjustments"), engine.table("channel_holds")
    if turn:
        changes, holds = changes.filter(_.turn == turn), holds.filter(_.turn == turn)
    rows = engine.rows(changes.order_by(_.turn.desc(), "subject").limit(limit))
    for row in rows:
        row["evidence"] = json.loads(row["evidence"] or "{}")
    begun = engine.rows(holds.filter(_.turn == _.since_turn).order_by(_.turn.desc()).limit(limit))
    rows += [
        {
            "turn": row["turn"],
            "subject": f"channel.{row['channel']}",
            "before": 1.0,
            "after": 0.0,
            "evidence": {
                "until_turn": row["until_turn"],
                "source": row["source"],
                "reason": row["reason"],
            },
        }
        for row in begun
    ]
    rows += plan_changes(engine, turn=turn)
    return sorted(rows, key=lambda row: (-row["turn"], row["subject"]))[:limit]


def plan_changes(engine: Reader, *, turn: int = 0) -> list[dict[str, Any]]:
    """List how the money a turn may put into a cell was changed, where the turn keeps to it.

    Args:
        engine: Opens the lake.
        turn: Changes of one turn only; 0 for all.

    Returns:
        One row per change, by turn and cell: turn, subject, before, after (money; None for no
        limit), evidence: what holds the cell, what is expected of it, and who decided it.
    """
    table = engine.table("budget_plans").filter(_.is_binding)
    if turn:
        table = table.filter(_.turn.isin([turn - 1, turn]))
    rows = engine.rows(table.order_by("turn", "segment", "channel", "offer_id"))
    most: dict[tuple[int, str], float | None] = {
        (row["turn"], _cell(row)): row["most"] for row in rows
    }
    found = []
    for row in rows:
        before = most.get((row["turn"] - 1, _cell(row)))
        if turn in {0, row["turn"]} and before != row["most"]:
            found.append({
                "turn": row["turn"],
                "subject": f"budget.{_cell(row)}",
                "before": before,
                "after": row["most"],
                "evidence": {name: row[name] for name in _PLANNED},
            })
    return found


def _cell(row: Mapping[str, Any]) -> str:
    return "/".join((row["segment"], row["channel"], row["offer_id"]))


def alerts_since(engine: Reader, *, turns: int = 4) -> list[dict[str, Any]]:
    """List the alerts of the last turns, newest first.

    Returns:
        Rows of table `alerts`; empty when every channel was as usual.
    """
    table = engine.table("alerts")
    newest = engine.rows(engine.table("profiles").agg(turn=_.turn.max()))[0]["turn"] or 0
    return engine.rows(
        table.filter(_.turn > newest - turns).order_by(_.turn.desc(), "channel", "kind")
    )


def holds_now(engine: Reader) -> list[dict[str, Any]]:
    """List the channels the last turn left alone.

    Returns:
        Rows of table `channel_holds`, by channel.
    """
    newest = engine.rows(engine.table("profiles").agg(turn=_.turn.max()))[0]["turn"] or 0
    return engine.rows(engine.table("channel_holds").filter(_.turn == newest).order_by("channel"))


def learnings(engine: Reader) -> list[Learning]:
    """Give what has been learned, each with the experiments it rests on."""
    changes = engine.rows(engine.table("adjustments").order_by("turn", "subject"))
    effects = engine.table("effects").filter(_.metric == "margin", _.campaign_id != ALL)
    return learnings_of(changes, engine.rows(effects.order_by("turn", "campaign_id")))


def cycle_of(engine: Reader, turn: int) -> Cycle:
    """Give one turn as a plan-do-check-act record.

    Args:
        engine: Opens the lake.
        turn: The turn.

    Returns:
        The record; what has not happened yet is empty.

    Raises:
        UnknownName: The turn decided nothing.
    """
    decided = engine.table("decisions").filter(_.turn == turn)
    [planned] = engine.rows(
        decided.filter(_.campaign_id.notnull()).agg(
            chosen=_.count(), expected=_.expected_margin.sum(where=_.verdict == "send")
        )
    )
    if not engine.rows(decided.limit(1)):
        known = engine.rows(
            engine.table("decisions").select("turn").distinct().order_by(_.turn.desc()).limit(5)
        )
        raise UnknownName("turn", str(turn), [str(row["turn"]) for row in known])
    share = engine.rows(
        engine.table("parameters").filter(_.turn == turn, _.name == "spend_share").limit(1)
    )
    [money] = engine.rows(
        engine
        .table("budget_plans")
        .filter(_.turn == turn)
        .agg(spend=_.spend.sum(), is_binding=_.is_binding.all() & _.spend.notnull().any())
    )
    plan = Planned(
        share[0]["value"] if share else None,
        planned["chosen"],
        planned["expected"] or 0.0,
        money["spend"],
        bool(money["is_binding"]),
    )
    return Cycle(turn, plan, _done(engine, turn), _checked(engine, turn), _changed(engine, turn))


def _done(engine: Reader, turn: int) -> Done:
    rows = engine.rows(
        engine
        .table("contacts")
        .filter(_.turn == turn)
        .group_by("fate")
        .agg(customers=_.count(), cost=_.cost.sum())
        .order_by("fate")
    )
    cost = sum((row["cost"] for row in rows), Decimal(0))
    return Done({row["fate"]: row["customers"] for row in rows}, cost)


def _checked(engine: Reader, turn: int) -> Checked:
    predictions = engine.table("predictions").filter(_.measured_turn == turn)
    rows = engine.rows(predictions.order_by("turn", "campaign_id"))
    newest = max((row["turn"] for row in rows), default=None)
    mine = [row for row in rows if row["turn"] == newest]
    whole = next((row for row in mine if row["campaign_id"] == ALL), None)
    alerts = engine.rows(
        engine.table("alerts").filter(_.measured_turn == turn).order_by("channel", "kind")
    )
    found = {name: whole[name] if whole else None for name in _SAID}
    surprises = [row["campaign_id"] for row in mine if row["inside"] is False and row is not whole]
    return Checked(
        measured_by=newest,
        **found,
        campaigns=len(mine) - (whole is not None),
        surprises=tuple(surprises),
        alerts=tuple(alerts),
    )


def _changed(engine: Reader, turn: int) -> Changed:
    rows = engine.rows(
        engine.table("adjustments").filter(_.turn > turn).order_by("turn", "subject")
    )
    mine = []
    for row in rows:
        evidence = json.loads(row["evidence"] or "{}")
        if str(turn) in evidence.get("measured_turns", {}):
            mine.append(row | {"evidence": evidence})
    holds = engine.rows(
        engine
        .table("channel_holds")
        .filter(_.turn == turn + 1, _.since_turn == turn + 1)
        .order_by("channel")
    )
    return Changed(tuple(mine), tuple(holds), tuple(plan_changes(engine, turn=turn + 1)))
