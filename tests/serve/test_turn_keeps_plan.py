"""A turn of the loop keeps to the plan where people say so, and plans anew by itself each time."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from ibis import _
from msgspec.structs import replace
from tests.serve.conftest import put
from tests.serve.test_money_faces import CELLS

from regulars.adjust.autotune.service import unlearn
from regulars.adjust.review.service import change_log, cycle_of
from regulars.app import open_app
from regulars.decide.budget.curves import Cell
from regulars.decide.budget.obeying.service import follow, planned_turns
from regulars.decide.budget.planning import Guards
from regulars.decide.budget.reviewing.service import pin
from regulars.decide.offers.keeping.service import offers_in_force, put_offer
from regulars.decide.policies import step
from regulars.decide.policies.tables import PLAIN
from regulars.errors import InputError
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.loop import run_turn

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AS_OF = date(2026, 3, 8)
LATER = datetime(2026, 3, 10, tzinfo=UTC)
SHY = [f"c{n:03}" for n in range(1, 60, 2)]


def shop(make_shop, folder, *, cells):
    make_shop.filled(folder)
    app = open_app(folder)
    if cells:
        put(app, "cell_effects", CELLS, turn=2)
    return app


def rows(app, name, turn=3):
    return app.engine.rows(app.engine.table(name).filter(_.turn == turn))


def cell_of(row):
    return row["segment"], row["channel"], row["offer_id"]


def segments(app, turn=3):
    return {row["customer_id"]: row["segment"] for row in rows(app, "rfm_scores", turn)}


def spent(app, turn=3):
    """What the sends of a turn take from the budget, by cell."""
    segment_of = segments(app, turn)
    found = defaultdict(Decimal)
    for row in rows(app, "decisions", turn):
        if row["verdict"] == "send":
            segment = segment_of.get(row["customer_id"], "unscored")
            segment = "unscored" if row["model_version"].endswith(PLAIN) else segment
            found[segment, row["channel"], row["offer_id"]] += row["cost"]
    return found


def bound(app):
    return {cell_of(row): row for row in rows(app, "budget_plans") if row["is_binding"]}


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
    known = {row["segment"] for row in app.engine.rows(app.engine.table("rfm_scores"))}
    pinned = [(segment, "ten", "1.10") for segment in known] + [
        ("unscored", "news", "0.30"),
        ("champions", "news", "0.05"),
    ]
    for segment, offer, money in pinned:
        cell = Cell(segment, "sms", offer)
        pin(app.state, cell, Decimal(money), why="a little", actor="ann", now=NOW)
    words = [Word(one, "profiling", "denied", NOW) for one in SHY]
    set_consent(app.state, words, actor="t", now=NOW)
    run_turn(app, AS_OF)
    return app


@pytest.fixture(scope="module", name="kept")
def shop_that_follows_its_plan(make_shop, tmp_path_factory):
    return follow_and_turn(make_shop, tmp_path_factory.mktemp("kept") / "shop")


def test_no_cell_gets_more_than_its_plan_and_money_is_spent(kept):
    assert worst(kept) <= 1e-9
    assert sum(spent(kept).values()) > 0
    assert all(row["is_binding"] for row in rows(kept, "budget_plans"))


def open_to(app):
    """Probabilities logged for whoever refused profiling, by the segment nobody may look at."""
    segment_of, found = segments(app), defaultdict(list)
    for row in rows(app, "decisions"):
        if row["customer_id"] in SHY:
            assert row["model_version"].endswith(PLAIN)
            chances = {name: one[1] for name, one in json.loads(row["candidates"]).items()}
            if chances:
                found[segment_of[row["customer_id"]]].append(chances)
    return found


def differ(found):
    """Most by which two of those customers differ in the probability of an action."""
    each = [one for many in found.values() for one in many]
    names = {name for one in each for name in one}
    return max(np.ptp([one.get(name, 0.0) for one in each]) for name in names)


def test_the_segment_of_who_refused_profiling_decides_on_nothing(kept):
    found = open_to(kept)

    assert len(found) > 1, "customers of several segments"
    assert differ(found) < 0.02


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
    monkeypatch.setattr(step, "limits_of", lambda *_given, budget, **_said: budget)

    app = follow_and_turn(make_shop, tmp_path / "shop")

    assert worst(app) > 0.1


@pytest.fixture(scope="module", name="free")
def shop_that_plans_but_follows_nothing(make_shop, tmp_path_factory):
    app = shop(make_shop, tmp_path_factory.mktemp("free") / "shop", cells=True)
    unlearn(app.state, 2, reason="the tills were down", actor="ann", now=NOW)
    run_turn(app, AS_OF)
    return app


def test_without_a_plan_or_a_person_nothing_binds_a_turn(free):
    assert rows(free, "budget_plans")
    assert bound(free) == {}
    assert sum(spent(free).values()) > 0


def test_a_turn_that_is_left_out_of_what_is_learned_is_behind_no_plan(kept, free):
    points = {
        name: max(row["points"] for row in rows(app, "budget_plans"))
        for name, app in (("kept", kept), ("free", free))
    }

    assert points == {"kept": 2, "free": 1}


def test_an_earlier_plan_kept_to_gives_nothing_to_what_it_did_not_know(free):
    kept = {one.offer.offer_id: one.offer for one in offers_in_force(free.state, at=LATER)}
    put_offer(free.state, replace(kept["news"], offer_id="tea"), actor="ann", now=LATER)
    planned = planned_turns(free.engine)
    told = {"why": "back to it", "actor": "ann", "now": NOW, "planned": planned}

    with pytest.raises(InputError, match="turn 99 has no plan to keep to; turns with a plan: 3"):
        follow(free.state, Guards(), of_turn=99, **told)
    follow(free.state, Guards(reserve=0.0), of_turn=3, **told)
    run_turn(free, AS_OF + timedelta(days=7))

    before = {cell_of(row): row["spend"] for row in rows(free, "budget_plans")}
    now = {cell_of(row): row for row in rows(free, "budget_plans", turn=4)}
    fresh = [row for (_segment, _channel, offer), row in now.items() if offer == "tea"]
    assert fresh
    assert {(row["most"], row["bound_by"]) for row in fresh} == {(0.0, "unplanned")}
    assert all(row["is_binding"] for row in now.values())
    assert all(now[cell]["most"] <= spend + 1e-9 for cell, spend in before.items())
    assert all("tea" not in row["candidates"] for row in rows(free, "decisions", turn=4))
    assert all(now[cell]["most"] > 0 for cell in spent(free, turn=4))
