"""Pins and reviews in the state store; every change is in the audit log."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from regulars.decide.budget.curves import Cell
from regulars.decide.budget.planning import InformationValue, Limits, Plan
from regulars.decide.budget.reviewing.periods import period_of
from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Pin:
    """What a person decided a cell gets.

    Attributes:
        cell: Segment, channel and offer.
        amount: Money of one turn.
        why: The reason given.
        actor: Who.
        set_at: When, ISO 8601 in UTC.
        until: When it ends by itself; None for never.
    """

    cell: Cell
    amount: Decimal
    why: str
    actor: str
    set_at: str
    until: str | None


@dataclass(frozen=True)
class Review:
    """One review of the budget.

    Attributes:
        kind: monthly, quarterly or annual.
        period: Such as 2026-11, 2026-Q4 or 2026.
        made_at: When, ISO 8601 in UTC.
        actor: Who.
        note: What they said.
        before: Money by cell before.
        after: Money by cell of the new plan.
        evidence: What the plan rests on.
    """

    kind: str
    period: str
    made_at: str
    actor: str
    note: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    evidence: Mapping[str, Any]


def pin(
    state: State,
    cell: Cell,
    amount: Decimal,
    *,
    why: str,
    actor: str,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Pin the money of a cell; plans keep to it until the pin ends or is taken away.

    Args:
        state: The transactional store.
        cell: Segment, channel and offer.
        amount: Money of one turn, 0 or more; 0 keeps money out of the cell.
        why: The reason, not empty.
        actor: Who decides.
        now: The moment, aware.
        until: When it ends; None for never.

    Raises:
        InputError: The amount is negative, no reason is given, or it has ended already.
    """
    if not (amount.is_finite() and amount >= 0):
        raise InputError(f"a pin of {amount} is no amount of money; give 0 or more")
    if not why.strip():
        raise InputError("a pin needs a reason; say why, whoever reviews it will ask")
    if until is not None and until <= now:
        raise InputError(f"the pin would end {until.isoformat()}, which is over; give a later day")
    row = cell._asdict() | {"amount": str(amount), "why": why.strip(), "actor": actor}
    with state.transaction() as opened:
        opened.run(_SQL["pin"], **row, set_at=_stamp(now), until=until and _stamp(until))
        detail = {"amount": str(amount), "why": why.strip(), "until": until and _stamp(until)}
        record(opened, actor=actor, action="budget.pin", subject=str(cell), detail=detail, at=now)


def unpin(state: State, cell: Cell, *, actor: str, now: datetime) -> bool:
    """Take a pin away.

    Returns:
        False when there was none.
    """
    with state.transaction() as opened:
        is_gone = opened.run(_SQL["unpin"], **cell._asdict()) > 0
        if is_gone:
            record(opened, actor=actor, action="budget.unpin", subject=str(cell), detail={}, at=now)
    return is_gone


def pins(state: State, *, now: datetime) -> list[Pin]:
    """List the pins in force, by cell."""
    with state.reading() as opened:
        rows = opened.all(_SQL["pins"], at=_stamp(now))
    return [
        Pin(
            Cell(row["segment"], row["channel"], row["offer_id"]),
            Decimal(row["amount"]),
            row["why"],
            row["actor"],
            row["set_at"],
            row["until"],
        )
        for row in rows
    ]


def pinned_limits(state: State, *, now: datetime) -> dict[Cell, Limits]:
    """Give the pins in force as limits of a plan."""
    return {
        one.cell: Limits(pin=float(one.amount), why=f"{one.actor}: {one.why}")
        for one in pins(state, now=now)
    }


def keep_review(
    state: State,
    kind: str,
    plan: Plan,
    tests: list[InformationValue],
    *,
    today: date,
    actor: str,
    now: datetime,
    note: str = "",
) -> Review:
    """Keep the review of a period: what the money did before, what it will do, and why.

    Args:
        state: The transactional store.
        kind: monthly, quarterly or annual.
        plan: The new plan.
        tests: What is worth finding out next.
        today: The day, where the retailer is.
        actor: Who reviews.
        now: The moment, aware.
        note: What else is to be kept.

    Returns:
        The review; the one there is when the period has been reviewed already.

    Raises:
        InputError: There is no such kind.
    """
    period = period_of(kind, today)
    earlier = reviews(state)
    before = dict(earlier[0].after) if earlier else {str(c.cell): c.before for c in plan.cells}
    after = {str(c.cell): round(c.spend, 2) for c in plan.cells}
    row = {
        "before": json.dumps({name: round(money, 2) for name, money in before.items()}),
        "after": json.dumps(after),
        "evidence": json.dumps(_evidence(plan, tests)),
    }
    with state.transaction() as opened:
        is_new = opened.run(
            _SQL["review"],
            kind=kind,
            period=period,
            made_at=_stamp(now),
            actor=actor,
            note=note,
            **row,
        )
        if is_new:
            record(
                opened,
                actor=actor,
                action="budget.review",
                subject=f"{kind} {period}",
                detail={"shadow_price": plan.shadow_price, "spend": round(plan.spend, 2)},
                at=now,
            )
    return next(one for one in reviews(state) if (one.kind, one.period) == (kind, period))


def reviews(state: State) -> list[Review]:
    """List the reviews, the newest first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["reviews"])
    told = ("kind", "period", "made_at", "actor", "note")
    return [
        Review(
            **{name: row[name] for name in told},
            before=json.loads(row["before"]),
            after=json.loads(row["after"]),
            evidence=json.loads(row["evidence"]),
        )
        for row in rows
    ]


def _evidence(plan: Plan, tests: list[InformationValue]) -> dict[str, Any]:
    cells = {
        str(one.cell): {
            "expected": one.expected,
            "low": one.low,
            "high": one.high,
            "chance_of_loss": one.chance_of_loss,
            "bound_by": one.bound_by,
        }
        for one in plan.cells
    }
    totals = {name: value for name, value in asdict(plan).items() if name != "cells"}
    worth = [{"cell": str(one.cell), "net": one.net} for one in tests[:5]]
    return totals | {"cells": cells, "next_tests": worth}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
