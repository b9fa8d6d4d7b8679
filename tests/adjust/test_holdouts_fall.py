"""The campaign holdout falls turn by turn, and everybody reads the share a turn really held out."""

import json
from datetime import timedelta
from functools import partial

import pytest

from regulars.adjust.autotune.step import _decided
from regulars.decide.offers import arms_on
from regulars.decide.online.reading.service import read_knowledge
from regulars.loop.shop import dispatch_moment
from regulars.rehearse.twin_run import run_in_twin
from regulars.settings import Loop
from regulars.twin import Plan

TURNS = 3


@pytest.fixture(scope="module")
def fallen(tmp_path_factory):
    """A loop of three turns in a twin so small that its holdouts would not fall by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regulars.settings._LEAST_KNOWN", 1)
        return run_in_twin(tmp_path_factory.mktemp("fallen"), Plan(300, 4, turns=TURNS), workers=1)


def shares(app):
    decisions = app.engine.table("decisions")
    rows = app.engine.rows(
        decisions.group_by("turn").agg(
            least=decisions.held_out_share.min(), most=decisions.held_out_share.max()
        )
    )
    assert all(row["least"] == row["most"] for row in rows)
    return {row["turn"]: row["least"] for row in rows}


def test_each_decision_keeps_the_share_its_turn_held_out(fallen):
    found = shares(fallen.app)

    assert [found[turn] for turn in (1, 2, 3)] == pytest.approx([0.1, 0.1 / 1.5, 0.05])


def test_the_logged_probability_of_a_send_is_that_of_the_draw_less_the_share(fallen):
    kept, decisions = shares(fallen.app), fallen.app.engine.table("decisions")
    sends = fallen.app.engine.rows(decisions.filter(decisions.verdict == "send"))

    assert len(sends) > 100
    for row in sends:
        chance = json.loads(row["candidates"])[f"{row['offer_id']}:{row['channel']}"][1]
        assert row["propensity"] == pytest.approx(chance * (1 - kept[row["turn"]]), abs=1e-5)


def test_learning_and_online_decisions_take_the_share_that_was_kept(fallen, monkeypatch):
    app = fallen.app
    costs = {name: part.cost for name, part in app.settings.channels.items()}
    arms = arms_on(app.engine.rows(app.engine.table("offers")), costs, day=None)
    day = fallen.twin.monday(fallen.twin.plan.history_weeks + TURNS - 1) + timedelta(days=6)
    monkeypatch.setattr(Loop, "held_out_in", None)  # settings have no say any more

    online = read_knowledge(
        app.engine, app.state, app.settings, now=dispatch_moment(day, app.settings)
    )
    learned = _decided(app.engine, 2, arms, app.settings.loop)

    assert online.campaign_holdout == pytest.approx(0.05)
    sent = learned.taken.sum(axis=1) == 1
    decisions = app.engine.table("decisions")
    rows = app.engine.rows(decisions.filter(decisions.turn == 2).order_by("customer_id"))
    chance = {row["customer_id"]: row["send_propensity"] for row in rows}
    expected = [1 - chance[one] for one in learned.customer_ids[sent]]
    assert learned.contrast.sum(axis=1)[sent] == pytest.approx(expected, abs=1e-4)


def test_a_turn_that_decided_for_nobody_teaches_nothing(fallen):
    app = fallen.app

    found = partial(_decided, app.engine, arms=[], loop=app.settings.loop)(99)

    assert found.customer_ids.size == 0
