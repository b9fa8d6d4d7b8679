"""What was learned from a turn is taken back: the loop believes what it would without that turn."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.adjust.autotune import step
from regulars.adjust.autotune.service import relearn, unlearn, unlearned
from regulars.adjust.autotune.step import autotune
from regulars.adjust.review.service import change_log, learnings
from regulars.decide.policies.tables import latest
from regulars.errors import InputError, UnknownName
from regulars.numerics.days import day_of
from regulars.records import Turn

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TUNED = ("after_contact", "after_effect", "calibration", "spend_share")


def learn_again(app, number, left_out):
    """Learn in a further turn in which no window has closed; give the trials of models put down."""
    tried = []
    [last] = app.engine.rows(app.engine.table("profiles").agg(as_of=_as_of(app)))
    settings = app.settings
    autotune.run(
        app.bound(autotune, number),
        Turn(number, last["as_of"], NOW + timedelta(days=number), 7),
        loop=settings.loop,
        channel_costs={name: part.cost for name, part in settings.channels.items()},
        unlearned=frozenset(left_out),
        keep=tried.extend,
    )
    return tried


class Unwritten:
    """An engine that reads like another and keeps nothing."""

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def write(self, _table, rows):
        return len(rows)


def test_of_several_turns_learned_at_once_the_newest_alone_is_tried_and_once(
    outage_app, monkeypatch
):
    """The loop learned last in turn 3: turns 3 to 8 are measured in one call."""
    monkeypatch.setattr(step, "latest", lambda table, _turn: latest(table, 3))
    app, kept = outage_app, []
    [last] = app.engine.rows(app.engine.table("profiles").agg(as_of=_as_of(app)))

    autotune.run(
        Unwritten(app.bound(autotune, 13)),
        Turn(13, last["as_of"], NOW + timedelta(days=13), 7),
        loop=app.settings.loop,
        channel_costs={name: part.cost for name, part in app.settings.channels.items()},
        keep=kept.append,
    )

    [[trial]] = kept
    newest = last["as_of"] - timedelta(days=app.settings.loop.turn_days)
    assert (trial.challenger, day_of(trial.held_from)) == ("by_arm", newest)


def _as_of(app):
    return app.engine.table("profiles").as_of.max()


def believed(app, turn):
    table = app.engine.table("uplift_priors")
    rows = app.engine.rows(table.filter(table.turn == turn).order_by("position"))
    found = {row["term"]: {k: v for k, v in row.items() if k != "turn"} for row in rows}
    table = app.engine.table("parameters")
    rows = app.engine.rows(table.filter(table.turn == turn))
    return found, {row["name"]: row["value"] for row in rows if row["name"] in TUNED}


def alike(one, other):
    (terms, tuned), (others, tuned_too) = one, other
    assert tuned == pytest.approx(tuned_too, abs=1e-9)
    assert terms.keys() == others.keys()
    for term, row in terms.items():
        numbers = {name: value for name, value in row.items() if isinstance(value, int | float)}
        there = {name: others[term][name] for name in numbers}
        assert numbers == pytest.approx(there, rel=1e-9, abs=1e-9), term
    return True


def test_turns_left_out_leave_what_was_believed_before_them_and_come_back_whole(outage_app):
    before, whole = believed(outage_app, 5), believed(outage_app, 9)

    tried = learn_again(outage_app, 10, {5, 6, 7, 8})
    learn_again(outage_app, 11, {5, 6, 7, 8})
    told = change_log(outage_app.engine, turn=10), change_log(outage_app.engine, turn=11)
    cited = {cite.turn for one in learnings(outage_app.engine) for cite in one.cites}
    learn_again(outage_app, 12, ())

    assert alike(believed(outage_app, 10), before)
    assert before[0] != whole[0], "four turns taught something"
    assert alike(believed(outage_app, 12), whole)
    assert tried == [], "what old turns said of models is not said again"
    assert told[1] == [], "nothing is learned anew a second time"
    assert {tuple(row["evidence"]["left_out"]) for row in told[0]} == {(5, 6, 7, 8)}
    assert all(row["evidence"]["measured_turns"].keys() <= set("1234") for row in told[0])
    assert cited == {1, 2, 3, 4}
    restored = {c.turn for one in learnings(outage_app.engine) for c in one.cites}
    assert restored >= {5, 6, 7, 8}


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    made = SQLState(url)
    with made.transaction() as opened:
        opened.run("INSERT INTO turns VALUES (3, '2026-03-01', '2026-03-02', 7, 'closed')")
    return made


def test_who_left_a_turn_out_and_why_is_kept_and_can_be_taken_back(state):
    unlearn(state, 3, reason=" the tills were down ", actor="mei", now=NOW)

    [one] = unlearned(state)
    assert (one.turn, one.reason, one.actor) == (3, "the tills were down", "mei")
    relearn(state, 3, actor="mei", now=NOW)
    assert unlearned(state) == []
    with state.reading() as opened:
        rows = opened.all("SELECT action, subject FROM audit_log ORDER BY number")
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("turn.unlearn", "turn/3"),
        ("turn.relearn", "turn/3"),
    ]


def test_a_turn_that_never_was_or_no_reason_is_refused(state):
    with pytest.raises(UnknownName, match="4"):
        unlearn(state, 4, reason="x", actor="mei", now=NOW)
    with pytest.raises(InputError, match="no reason"):
        unlearn(state, 3, reason=" ", actor="mei", now=NOW)
    with pytest.raises(InputError, match="not left out"):
        relearn(state, 3, actor="mei", now=NOW)
