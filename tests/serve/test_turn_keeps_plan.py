"""A turn of the loop keeps to the plan where people say so, and plans anew by itself each time."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from ibis import _
from tests.serve.conftest import put
from tests.serve.test_money_faces import CELLS

from regulars.adjust.review.service import change_log, cycle_of
from regulars.app import open_app
from regulars.decide.budget.curves import Cell
from regulars.decide.budget.obeying.service import follow
from regulars.decide.budget.planning import Guards
from regulars.decide.budget.reviewing.service import pin
from regulars.decide.policies import step
from regulars.loop import run_turn

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AS_OF = date(2026, 3, 8)


def shop(make_shop, folder, *, cells):
    make_shop.filled(folder)
    app = open_app(folder)
    if cells:
        put(app, "cell_effects", CELLS, turn=2)
    return app


def rows(app, name):
    return app.engine.rows(app.engine.table(name).filter(_.turn == 3))


def spent(app):
    """What the sends of turn 3 take from the budget, by cell."""
    segment_of = {row["customer_id"]: row["segment"] for row in rows(app, "rfm_scores")}
    found = defaultdict(Decimal)
    for row in rows(app, "decisions"):
        if row["verdict"] == "send":
            segment = segment_of.get(row["customer_id"], "unscored")
            found[segment, row["channel"], row["offer_id"]] += row["cost"]
    return found


def bound(app):
    return {
        (row["segment"], row["channel"], row["offer_id"]): row
        for row in rows(app, "budget_plans")
        if row["is_binding"]
    }


def worst(app):
    """Most money of turn 3 beyond any limit of its plan."""
    plan = bound(app)
    over = [
        float(money) - plan[cell]["most"]
        for cell, money in spent(app).items()
        if plan[cell]["most"] is not None
    ]
    to_spend = min(row["to_spend"] for row in plan.values())
    return max([*over, float(sum(spent(app).values())) - to_spend])


def follow_and_turn(make_shop, folder):
    app = shop(make_shop, folder, cells=True)
    follow(app.state, Guards(), why="trial", actor="ann", now=NOW)
    segments = {row["segment"] for row in app.engine.rows(app.engine.table("rfm_scores"))}
    for segment in segments:
        cell = Cell(segment, "sms", "ten")
        pin(app.state, cell, Decimal("1.10"), why="a little", actor="ann", now=NOW)
    run_turn(app, AS_OF)
    return app


@pytest.fixture(scope="module", name="kept")
def shop_that_follows_its_plan(make_shop, tmp_path_factory):
    return follow_and_turn(make_shop, tmp_path_factory.mktemp("kept") / "shop")


def test_no_cell_gets_more_than_its_plan_and_money_is_spent(kept):
    assert worst(kept) <= 1e-9
    assert sum(spent(kept).values()) > 0
    assert all(row["is_binding"] for row in rows(kept, "budget_plans"))


def test_every_change_of_the_money_is_in_the_log_with_its_reason_and_the_turn_is_reviewed(kept):
    changes = {row["subject"]: row for row in change_log(kept.engine, turn=3)}
    pinned = next(row for row in changes.values() if row["subject"].endswith("/sms/ten"))

    assert pinned["subject"].startswith("budget.")
    assert (pinned["after"], pinned["evidence"]["bound_by"]) == (1.1, "pin")
    assert pinned["evidence"]["why"] == "ann: a little"
    assert cycle_of(kept.engine, 3).plan.keeps_to_plan
    assert cycle_of(kept.engine, 3).plan.money == pytest.approx(
        sum(row["spend"] for row in rows(kept, "budget_plans"))
    )


def test_curves_come_of_measured_effects_by_themselves(kept):
    points = {
        (row["channel"], row["offer_id"]): row["points"]
        for row in rows(kept, "budget_plans")
        if row["segment"] == "loyal"
    }

    assert points["sms", "ten"] == 2


def test_a_turn_that_overlooked_the_plan_would_be_seen(make_shop, tmp_path, monkeypatch):
    monkeypatch.setattr(step, "limits_of", lambda *_given, budget: budget)

    app = follow_and_turn(make_shop, tmp_path / "shop")

    assert worst(app) > 0.1


def test_without_a_plan_or_a_person_nothing_binds_a_turn(make_shop, tmp_path):
    app = shop(make_shop, tmp_path / "shop", cells=True)
    run_turn(app, AS_OF)

    assert rows(app, "budget_plans")
    assert bound(app) == {}
    assert sum(spent(app).values()) > 0
