"""Gathers what a report says, from the tables and the state of a workspace."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ibis import _

from regulars.adjust.autotune.service import unlearned
from regulars.adjust.budgeting.rows import feasible
from regulars.adjust.reporting.content import Content, Effect
from regulars.adjust.review.service import learnings
from regulars.decide.budget.obeying.service import followed, limits_of_people
from regulars.decide.budget.planning import Guards
from regulars.decide.budget.planning.service import Planned, plan_workspace
from regulars.decide.offers.keeping.service import offer_names_in_force
from regulars.decide.policies.tables import latest
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
    end = _start(period.last + timedelta(days=1), zone)
    following = followed(state, now=end)
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
        plan=_plan(engine, state, settings, end, seen),
        kept_turn=following.of_turn if following else 0,
        offer_names=offer_names_in_force(engine, state, now=end),
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


def _start(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _spent(engine: Reader, period: Period, zone: str) -> dict[str, tuple[int, Decimal]]:
    """Contacts handed over in the period and their cost, by channel."""
    start, end = _start(period.first, zone), _start(period.last + timedelta(days=1), zone)
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
        offer, _colon, channel = name.rpartition(":")
        rests = [one.turn for one in cites.get(name, ()) if one.estimate is not None]
        found[name] = {
            "subject": name, "offer_id": offer, "channel": channel, "before": first,
            "after": row["after"], "rests": rests[:4],
        }  # fmt: skip
    moved = sorted(
        found.values(), key=lambda one: (-abs(one["after"] - (one["before"] or 0)), one["subject"])
    )
    return tuple(moved)


def _plan(
    engine: Reader, state: State, settings: Settings, end: datetime, seen: int
) -> Planned | None:
    """Where money goes next, by what turns obey; None of a past period or beside a kept plan."""
    following = followed(state, now=end)
    newest = engine.rows(engine.table("profiles").agg(turn=_.turn.max()))[0]["turn"]
    if newest != seen or (following and following.of_turn):
        return None
    guards = following.guards if following else Guards()
    tuned = engine.rows(latest(engine.table("parameters"), seen).filter(_.name == "spend_share"))
    opened = float(tuned[0]["value"]) if tuned else 1.0
    money = float(settings.loop.weekly_budget) * opened
    said = limits_of_people(state, now=end)
    try:
        return plan_workspace(
            engine,
            budget=money,
            guards=guards,
            limits=feasible(said, to_spend=money * (1 - guards.reserve)),
            tests=settings.loop.exploration_floor,
            left_out={one.turn for one in unlearned(state)},
        )
    except NotReady:
        return None
