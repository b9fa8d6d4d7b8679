"""Gathers what a report says, from the tables and the state of a workspace."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ibis import _

from regulars.adjust.reporting.content import Content, Effect
from regulars.adjust.review.service import learnings
from regulars.decide.budget.planning import Guards
from regulars.decide.budget.planning.service import Planned, plan_workspace
from regulars.decide.budget.reviewing.service import pinned_limits
from regulars.errors import NotReady
from regulars.measure.scorecard import Period
from regulars.measure.scorecard.service import shop_scorecard
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.settings import Settings

ALL = "*"
PERIODS_SHOWN = 8
EFFECTS_SHOWN = 12


def gather(
    engine: Reader, state: State, settings: Settings, *, name: str, period: Period
) -> Content:
    """Gather the content of a report.

    Args:
        engine: Opens the lake.
        state: Pins, referrals, who is who.
        settings: Retailer, budget and level.
        name: Name of the week or month.
        period: Its days; nothing later is read but what later turns measured of it.

    Returns:
        Everything the page shows; the same workspace gives the same content.
    """
    zone = settings.retailer.zone
    turns = _turns(engine, period)
    card = shop_scorecard(
        engine, state, zone=zone, until=period.last, days=period.days, periods=PERIODS_SHOWN
    )
    seen = max(turns, default=0)
    return Content(
        name=name,
        retailer=settings.retailer.name,
        currency=settings.retailer.currency,
        level=settings.loop.level,
        card=card,
        turns=tuple(turns),
        effects=_effects(engine, seen),
        programme=_programme(engine, seen),
        spent=_spent(engine, period, zone),
        budget=settings.loop.weekly_budget,
        alerts=_alerts(engine, turns),
        held=_held(engine, seen),
        learned=_learned(engine, turns),
        plan=_plan(engine, state, settings, period, seen),
    )


def _turns(engine: Reader, period: Period) -> list[int]:
    days = engine.table("profiles").group_by("turn").agg(as_of=_.as_of.max())
    rows = engine.rows(days.order_by("turn"))
    return [row["turn"] for row in rows if period.first <= row["as_of"] <= period.last]


def _effects(engine: Reader, seen: int) -> tuple[Effect, ...]:
    """What contacts caused, by the turn they belong to, as the last turn of the period knew."""
    table = engine.table("effects").filter(
        _.campaign_id == ALL, _.metric == "margin", _.turn <= seen
    )
    newest = table.group_by("measured_turn").agg(turn=_.turn.max())
    rows = engine.rows(table.semi_join(newest, ["measured_turn", "turn"]).order_by("measured_turn"))
    return tuple(_effect(row, str(row["measured_turn"])) for row in rows[-EFFECTS_SHOWN:])


def _programme(engine: Reader, seen: int) -> Effect | None:
    table = engine.table("programme_effects").filter(_.metric == "margin", _.turn <= seen)
    rows = engine.rows(table.order_by(_.turn.desc()).limit(1))
    if not rows:
        return None
    return _effect(rows[0], f"{rows[0]['from_turn']}–{rows[0]['to_turn']}")


def _effect(row: Mapping[str, Any], label: str) -> Effect:
    may_read = row["status"] == "ok"
    estimate, low, high = (row[name] if may_read else None for name in ("estimate", "low", "high"))
    claims = bool(row["claims"]) if "claims" in row else None
    return Effect(
        label=label,
        status=row["status"],
        estimate=estimate,
        low=low,
        high=high,
        treated=row["treated"],
        control=row["control"],
        cost=row.get("cost"),
        claims=claims,
    )


def _spent(engine: Reader, period: Period, zone: str) -> dict[str, tuple[int, Decimal]]:
    """Contacts handed over in the period and their cost, by channel."""
    ends = (period.first, period.last + timedelta(days=1))
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for day in ends
    )
    contacts = engine.table("contacts").filter(
        _.channel.notnull(), _.cost.notnull(), _.at >= start, _.at < end
    )
    rows = engine.rows(
        contacts.group_by("channel").agg(contacts=_.count(), cost=_.cost.sum()).order_by("channel")
    )
    return {row["channel"]: (row["contacts"], row["cost"]) for row in rows}


def _alerts(engine: Reader, turns: list[int]) -> tuple[Mapping[str, Any], ...]:
    table = engine.table("alerts").filter(_.turn.isin(turns or [0]))
    return tuple(engine.rows(table.order_by("turn", "channel", "kind")))


def _held(engine: Reader, seen: int) -> tuple[Mapping[str, Any], ...]:
    table = engine.table("channel_holds").filter(_.turn == seen)
    return tuple(engine.rows(table.order_by("channel")))


def _learned(engine: Reader, turns: list[int]) -> tuple[Mapping[str, Any], ...]:
    """Beliefs the turns of the period moved, each with what it rests on, the largest move first."""
    table = engine.table("adjustments").filter(
        _.turn.isin(turns or [0]), _.subject.startswith("effect.")
    )
    cites = {one.subject: one.cites for one in learnings(engine)}
    found: dict[str, dict[str, Any]] = {}
    for row in engine.rows(table.order_by("turn", "subject")):
        name = row["subject"].removeprefix("effect.")
        first = found.get(name, row)["before"]
        rests = [one for cite in cites.get(name, ()) for one in cite.campaigns if cite.estimate]
        found[name] = {"subject": name, "before": first, "after": row["after"], "rests": rests[:4]}
    moved = sorted(
        found.values(), key=lambda one: (-abs(one["after"] - (one["before"] or 0)), one["subject"])
    )
    return tuple(moved)


def _plan(
    engine: Reader, state: State, settings: Settings, period: Period, seen: int
) -> Planned | None:
    """Where the money should go next; of a period that later turns followed, nothing."""
    newest = engine.rows(engine.table("profiles").agg(turn=_.turn.max()))[0]["turn"]
    if newest != seen:
        return None
    end = datetime(period.last.year, period.last.month, period.last.day, tzinfo=UTC)
    try:
        return plan_workspace(
            engine,
            budget=float(settings.loop.weekly_budget),
            guards=Guards(),
            limits=pinned_limits(state, now=end),
        )
    except NotReady:
        return None
