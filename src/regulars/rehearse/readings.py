"""What a workspace says of its turns, read back from its tables for a report."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ibis import _

from regulars.app import App
from regulars.govern.policy import Fate

_EFFECT = ("estimate", "low", "high", "level", "mde", "status", "treated", "control")


def fates_by_turn(app: App) -> dict[int, dict[str, Any]]:
    """Count every turn's audience by fate, and what was spent.

    Returns:
        By turn: eligible, sent, abstained, holdout, deferred, unknown, skipped and failed by
        reason, abstained_by_reason, and spend on contacts.
    """
    contacts = app.engine.table("contacts")
    counted = app.engine.rows(
        contacts
        .group_by("turn", "fate", "reason")
        .agg(customers=_.count(), cost=_.cost.sum())
        .order_by("turn", "fate", "reason")
    )
    found: dict[int, dict[str, Any]] = {}
    for row in counted:
        turn = found.setdefault(row["turn"], _nothing())
        turn["eligible"] += row["customers"]
        turn["spend"] += float(row["cost"])
        if row["fate"] in {"skipped", "failed"}:
            turn[row["fate"]][row["reason"]] = row["customers"]
        else:
            turn[row["fate"]] += row["customers"]
    for turn in found.values():
        turn["spend"] = round(turn["spend"], 2)
    return found


def _nothing() -> dict[str, Any]:
    counts: dict[str, Any] = {"eligible": 0, "spend": 0.0}
    return counts | {fate.value: {} if fate.value in {"skipped", "failed"} else 0 for fate in Fate}


def effects_by_turn(app: App) -> dict[int, dict[str, Any]]:
    """Give the measured effect on margin of each turn's campaigns together."""
    effects = app.engine.table("effects")
    rows = app.engine.rows(
        effects.filter((_.campaign_id == "*") & (_.metric == "margin")).order_by("measured_turn")
    )
    return {row["measured_turn"]: {name: row[name] for name in _EFFECT} for row in rows}


def programme(app: App) -> dict[str, Any] | None:
    """Give the newest cumulative effect on margin; None before the first measuring."""
    table = app.engine.table("programme_effects")
    rows = app.engine.rows(table.filter(_.metric == "margin").order_by(_.turn.desc()).limit(1))
    if not rows:
        return None
    wanted = ("from_turn", "to_turn", "claims", *_EFFECT)
    return {name: rows[0][name] for name in wanted}


def interval_counts(app: App) -> dict[str, Any]:
    """Count the readable intervals of campaigns, and those that contain zero.

    Returns:
        turns, intervals, containing_zero, by_metric, and claims: programme readings that
        claimed an effect.
    """
    rows = app.engine.rows(
        app.engine
        .table("effects")
        .filter((_.status == "ok") & (_.campaign_id != "*"))
        .select("measured_turn", "metric", "low", "high")
        .order_by("measured_turn", "metric", "low")
    )
    inside = [row for row in rows if row["low"] <= 0 <= row["high"]]
    total, zero = Counter(r["metric"] for r in rows), Counter(r["metric"] for r in inside)
    claims = app.engine.rows(app.engine.table("programme_effects").filter(_.claims))
    return {
        "turns": len({row["measured_turn"] for row in rows}),
        "intervals": len(rows),
        "containing_zero": len(inside),
        "by_metric": {
            m: {"intervals": total[m], "containing_zero": zero[m]} for m in sorted(total)
        },
        "claims": len(claims),
    }


def table_rows(app: App, name: str, columns: Sequence[str], *order: str) -> list[dict[str, Any]]:
    """Give some columns of a small table, in a fixed order."""
    return app.engine.rows(app.engine.table(name).select(*columns).order_by(*order))


def collected(app: App) -> dict[str, Any]:
    """Total what was collected, from the facts themselves.

    Returns:
        customers (with an order), orders, order_lines, sales, quarantined rows.
    """
    lines = app.engine.table("order_lines")
    [sums] = app.engine.rows(
        lines.aggregate(
            order_lines=_.count(), sales=_.sales.sum(), customers=_.customer_id.nunique()
        )
    )
    [orders] = app.engine.rows(app.engine.table("orders").aggregate(orders=_.count()))
    [held] = app.engine.rows(app.engine.table("quarantine").aggregate(quarantined=_.count()))
    found = orders | held | sums
    found["sales"] = float(found["sales"] or 0)
    return found
