"""Pins and reviews: what people decided is kept, with who, why and until when."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.decide.budget.curves import Cell, Curve
from regulars.decide.budget.planning import Guards, next_tests, plan_budget
from regulars.decide.budget.reviewing.periods import due, period_of
from regulars.decide.budget.reviewing.service import (
    keep_review,
    pin,
    pinned_limits,
    pins,
    reviews,
    unpin,
)
from regulars.errors import InputError
from regulars.govern.audit.service import newest

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
CELL = Cell("loyal", "sms", "ten")


@pytest.fixture
def state(tmp_path):
    """Give an empty state store."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def made_plan(state, budget=1_000.0):
    one = np.ones(1)
    curves = [
        Curve(cell, 2.0, 300.0, 100.0, np.inf, 3, 20.0, one, 2 * one, 0.2 * one, 300 * one)
        for cell in (CELL, Cell("new", "email", "news"))
    ]
    limits = pinned_limits(state, now=NOW)
    plan = plan_budget(curves, budget=budget, limits=limits)
    return plan, next_tests(curves, plan, guards=Guards())


def test_a_pin_is_kept_to_by_the_plan_until_it_ends_and_stands_in_the_audit_log(state):
    pin(
        state, CELL, Decimal("55.50"), why="contract", actor="ann", now=NOW,
        until=NOW + timedelta(days=7),
    )  # fmt: skip

    plan, _tests = made_plan(state)

    assert next(c for c in plan.cells if c.cell == CELL).spend == 55.5
    assert pins(state, now=NOW)[0].actor == "ann"
    assert pins(state, now=NOW + timedelta(days=8)) == []
    assert newest(state)[0].action == "budget.pin"


def test_a_pin_taken_away_is_gone_and_only_once(state):
    pin(state, CELL, Decimal(5), why="contract", actor="ann", now=NOW)

    assert [unpin(state, CELL, actor="bob", now=NOW) for _time in range(2)] == [True, False]
    assert pins(state, now=NOW) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": Decimal(-1)}, "no amount"),
        ({"amount": Decimal("NaN")}, "no amount"),
        ({"why": " "}, "reason"),
        ({"until": NOW}, "is over"),
    ],
)
def test_a_pin_without_sense_is_refused(state, change, says):
    given = {"amount": Decimal(5), "why": "contract", "actor": "ann", "now": NOW} | change

    with pytest.raises(InputError, match=says):
        pin(state, CELL, given.pop("amount"), **given)


def test_a_review_keeps_before_after_and_evidence_once_per_period(state):
    first = keep_review(
        state, "monthly", *made_plan(state), today=date(2026, 11, 30), actor="ann", now=NOW
    )
    again = keep_review(
        state, "monthly", *made_plan(state, 10.0), today=date(2026, 11, 1), actor="bob", now=NOW
    )
    later = keep_review(
        state, "quarterly", *made_plan(state, 500.0), today=date(2026, 11, 30), actor="ann",
        now=NOW + timedelta(hours=1), note="second look",
    )  # fmt: skip

    assert again == first
    assert first.before == {str(CELL): 100.0, "new/email/news": 100.0}
    assert later.before == first.after
    assert sum(later.after.values()) == pytest.approx(400.0, abs=0.02)
    assert later.evidence["cells"][str(CELL)]["low"] > 0
    assert [one.period for one in reviews(state)] == ["2026-Q4", "2026-11"]


def test_what_was_not_reviewed_this_period_is_due():
    assert period_of("quarterly", date(2026, 3, 31)) == "2026-Q1"
    assert due([("monthly", "2026-10")], date(2026, 11, 1))[0] == ("monthly", "2026-11")
    with pytest.raises(InputError, match="weekly"):
        period_of("weekly", date(2026, 3, 31))
