"""Each turn plans its money: what binds it, what people said, and every change with its reason."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.adjust.budgeting.rows import by_budget, feasible, of_people, of_plan, of_turn
from regulars.decide.budget.curves import Cell, Curve
from regulars.decide.budget.obeying.service import (
    CellLimit,
    cell_limits,
    follow,
    followed,
    leave,
    limit_cell,
    limits_of_people,
    sayings,
    unlimit_cell,
)
from regulars.decide.budget.planning import Guards, Limits, plan_budget
from regulars.decide.budget.planning.service import Planned
from regulars.decide.budget.reviewing.service import pin
from regulars.errors import InputError
from regulars.govern.audit.service import newest

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
LOYAL, NEW = Cell("loyal", "sms", "ten"), Cell("new", "email", "news")


@pytest.fixture
def state(tmp_path):
    """Give an empty state store."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def planned(limits=None, budget=1_000.0):
    one = np.ones(1)
    curves = tuple(
        Curve(cell, 2.0, 300.0, 100.0, np.inf, 3, 20.0, one, 2 * one, 0.2 * one, 300 * one)
        for cell in (LOYAL, NEW)
    )
    return Planned(curves, plan_budget(curves, budget=budget, limits=limits or {}), (), 3)


def test_a_plan_nobody_follows_binds_nothing_but_what_people_set():
    limits = {NEW: Limits(pin=40.0, why="ann: contract")}

    rows = {row["segment"]: row for row in of_plan(planned(limits), limits, is_followed=False)}

    assert not rows["loyal"]["is_binding"]
    assert (rows["new"]["is_binding"], rows["new"]["least"], rows["new"]["most"]) == (True, 40, 40)
    assert rows["new"]["why"] == "ann: contract"
    assert rows["loyal"]["to_spend"] == 1_000.0


def test_a_followed_plan_binds_every_cell_to_what_is_planned_and_keeps_the_reserve():
    rows = of_plan(planned(), {}, is_followed=True)

    assert all(row["is_binding"] and row["most"] == row["spend"] for row in rows)
    assert sum(row["most"] for row in rows) <= rows[0]["to_spend"] == 800.0


def test_without_a_measured_turn_only_what_people_set_binds():
    limits = {NEW: Limits(floor=10.0, why="b")}

    [row] = of_people(limits, money=500.0, to_spend=500.0)

    assert (row["least"], row["most"], row["spend"], row["bound_by"]) == (10.0, None, None, "floor")


def test_floors_and_pins_beyond_the_money_are_lowered_in_one_proportion():
    limits = {LOYAL: Limits(pin=300.0), NEW: Limits(floor=100.0, ceiling=200.0)}

    cut = feasible(limits, to_spend=200.0)

    assert (cut[LOYAL].pin, cut[NEW].floor, cut[NEW].ceiling) == (150.0, 50.0, 200.0)
    assert feasible(limits, to_spend=400.0) == limits


def test_the_plan_of_an_earlier_turn_is_taken_again_within_the_money_there_is():
    earlier = of_plan(planned(), {}, is_followed=True)
    limits = {NEW: Limits(pin=100.0, why="a")}

    rows = {row["segment"]: row for row in of_turn(earlier, limits, money=400.0, reserve=0.2)}

    before = next(row["spend"] for row in earlier if row["segment"] == "loyal")
    assert rows["loyal"]["most"] == pytest.approx(min(before, 320.0 - 100.0))
    assert rows["new"]["most"] == 100.0


def test_a_cell_an_earlier_plan_did_not_know_gets_nothing_but_what_people_set():
    earlier = of_plan(planned(), {}, is_followed=True)
    gift, tea = Cell("loyal", "sms", "gift"), Cell("loyal", "sms", "tea")
    limits = {tea: Limits(floor=20.0, why="a"), LOYAL: Limits(floor=1.0, ceiling=50.0)}

    rows = {
        Cell(row["segment"], row["channel"], row["offer_id"]): row
        for row in of_turn(earlier, limits, money=1_000.0, reserve=0.2, cells=[LOYAL, gift, tea])
    }

    assert (rows[gift]["is_binding"], rows[gift]["most"], rows[gift]["spend"]) == (True, 0.0, 0.0)
    assert rows[gift]["bound_by"] == "unplanned"
    assert (rows[tea]["least"], rows[tea]["most"], rows[tea]["bound_by"]) == (20.0, 20.0, "floor")
    assert (rows[LOYAL]["least"], rows[LOYAL]["most"]) == (1.0, 50.0)
    assert rows[LOYAL]["bound_by"] == "ceiling"
    assert sum(row["most"] for row in rows.values()) <= 800.0


def test_where_floors_and_pins_are_lowered_the_money_there_is_holds_their_cells():
    limits = {LOYAL: Limits(pin=1_500.0), NEW: Limits(floor=500.0)}
    cut = feasible(limits, to_spend=800.0)
    rows = of_plan(planned(cut), cut, is_followed=True)

    said = [row["bound_by"] for row in by_budget(rows, limits, cut)]

    assert [row["bound_by"] for row in rows] == ["pin", "floor"]
    assert said == ["budget", "budget"]
    assert [row["bound_by"] for row in by_budget(rows, cut, cut)] == ["pin", "floor"]
    alone = of_people(cut, money=1_000.0, to_spend=800.0)
    assert {row["bound_by"] for row in by_budget(alone, limits, cut)} == {"budget"}


def test_following_is_said_with_a_reason_ends_by_itself_and_is_taken_back(state):
    end = NOW + timedelta(days=7)
    follow(state, Guards(0.5, 0.1), why="trial", actor="ann", now=NOW, until=end)

    held = followed(state, now=NOW)
    assert (held.guards, held.actor) == (Guards(0.5, 0.1), "ann")
    assert followed(state, now=end) is None
    assert newest(state)[0].action == "budget.follow"
    assert leave(state, why="too bold", actor="bob", now=NOW)
    assert followed(state, now=NOW) is None
    assert not leave(state, why="again", actor="bob", now=NOW)
    assert [one.why for one in sayings(state)] == ["too bold", "trial"]


@pytest.mark.parametrize(
    "said",
    [
        {"why": " "},
        {"of_turn": -1},
        {"of_turn": 4, "planned": [3, 5]},
        {"until": NOW - timedelta(days=1)},
    ],
)
def test_following_without_sense_is_refused(state, said):
    with pytest.raises(InputError):
        follow(state, Guards(), **{"why": "a", "actor": "ann", "now": NOW} | said)


def test_floors_and_ceilings_are_kept_until_they_end_and_a_pin_stands_before_them(state):
    said = CellLimit(LOYAL, Decimal(10), Decimal("99.5"), "contract", "ann")
    limit_cell(state, said, now=NOW, until=NOW + timedelta(days=7))

    assert limits_of_people(state, now=NOW)[LOYAL] == Limits(10.0, 99.5, why="ann: contract")
    assert limits_of_people(state, now=NOW + timedelta(days=8)) == {}
    pin(state, LOYAL, Decimal(50), why="sure", actor="bob", now=NOW)
    assert limits_of_people(state, now=NOW)[LOYAL].pin == 50.0
    assert unlimit_cell(state, LOYAL, actor="ann", now=NOW)
    assert cell_limits(state, now=NOW) == []


@pytest.mark.parametrize(
    ("floor", "ceiling"), [(None, None), (Decimal(5), Decimal(4)), (Decimal(-1), None)]
)
def test_a_floor_above_its_ceiling_is_refused(state, floor, ceiling):
    with pytest.raises(InputError, match="floor"):
        limit_cell(state, CellLimit(LOYAL, floor, ceiling, "a", "ann"), now=NOW)
