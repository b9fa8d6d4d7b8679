"""Champions and challengers: a bad challenger never serves, whatever is wrong with it."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.numerics.paired_bootstrap import paired_bootstrap
from regulars.understand.challengers import RECIPES, Recipe, poisson_deviance, try_recipes
from regulars.understand.champions import DEFAULTS, NAMES, Family, Standing, Trial, Verdict
from regulars.understand.champions.service import (
    is_unseen,
    keep_trials,
    lines,
    promote,
    rollback,
    serving,
)
from regulars.understand.champions.serving import Serving, default_serving
from regulars.understand.value import step
from regulars.understand.value.estimate import ORDER_MODELS, SPEND_MODELS
from regulars.understand.value.history import History, total_after

CUSTOMERS, WEEKS, LAST = 600, 60, 420
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def history():
    """Customers who buy at rates of their own, so that their own past tells more than the mean."""
    draw = np.random.default_rng(5)
    rate = draw.gamma(1.0, 0.8, CUSTOMERS)
    customer, day = np.nonzero(draw.random((CUSTOMERS, LAST)) < (rate / 7)[:, None])
    return History(
        CUSTOMERS,
        customer.astype(np.int64),
        day.astype(np.int64) + 1,
        np.ones(len(day)),
        draw.gamma(4.0, 5.0, len(day)),
        np.zeros(CUSTOMERS),
        1,
    )


def middling(history, as_of):
    """Three quarters the customer's own rate, one quarter the mean of all."""
    own = own_rate(history, as_of)
    return 0.75 * own + 0.25 * own.mean()


def own_rate(history, as_of):
    """Thirteen weeks at the customer's own rate so far, pulled a little to the mean."""
    seen = history.until(as_of)
    own = total_after(seen, seen.paid, after=0, weeks=WEEKS) * 13 / (as_of / 7)
    return 0.9 * own + 0.1 * own.mean()


def leaking(history, as_of):
    """Looks at days after `as_of` where it is given any; else does well enough to be believed."""
    later = total_after(history, history.paid, after=as_of, weeks=13)
    return np.where(later.sum() > 0, 0.5 * later, 0.0) + own_rate(history, as_of)


def with_nan(history, as_of):
    found = own_rate(history, as_of)
    found[3] = np.nan
    return found


def broken(_history, _as_of):
    raise ZeroDivisionError("nobody bought")


def unexpected(_history, _as_of):
    raise RuntimeError("no convergence")


def without_what_it_needs(history, _as_of):
    return history.price


def peeking_for_nothing(history, as_of):
    """Looks at later days, and is no better for it."""
    later = total_after(history, history.paid, after=as_of, weeks=13)
    return middling(history.until(as_of), as_of) + (later.sum() > 0)


def peeking_too_high(history, as_of):
    return 3 * peeking_for_nothing(history, as_of)


def recipes(**challengers):
    made = {"middling": middling} | challengers
    return {name: Recipe(Family.VALUE, name, predict) for name, predict in made.items()}


def tried(history, **challengers):
    found = try_recipes(recipes(**challengers), "middling", history, as_of=LAST)
    return {one.challenger: one for one in found}


def test_a_challenger_that_knows_more_is_found_better_on_the_same_held_out_weeks(history):
    one = tried(history, own=own_rate)["own"]

    assert one.verdict is Verdict.BETTER
    assert one.difference.high < 0
    assert one.difference.estimate == pytest.approx(one.mine.loss - one.theirs.loss)
    assert (one.held_from, one.held_until, one.customers) == (LAST - 91, LAST, CUSTOMERS)
    cut = history.until(LAST - 91)
    actual = total_after(history, history.paid, after=LAST - 91, weeks=13)
    by_hand = poisson_deviance(own_rate(cut, LAST - 91), actual).mean()
    assert one.mine.loss == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("planted", "verdict"),
    [
        (broken, Verdict.FAILED),
        (unexpected, Verdict.FAILED),
        (without_what_it_needs, Verdict.FAILED),
        (with_nan, Verdict.NOT_FINITE),
        (lambda h, d: own_rate(h, d)[:-1], Verdict.NOT_FINITE),
        (lambda h, d: own_rate(h, d) - 20, Verdict.OUT_OF_RANGE),
        (leaking, Verdict.PEEKS),
        (peeking_for_nothing, Verdict.PEEKS),
        (peeking_too_high, Verdict.PEEKS),
        (lambda h, d: 3 * own_rate(h, d), Verdict.UNCALIBRATED),
        (lambda h, d: middling(h, d) * np.tile([0.7, 1.3], CUSTOMERS // 2), Verdict.NOT_BETTER),
        (middling, Verdict.NOT_BETTER),
    ],
)
def test_each_planted_fault_is_told_apart_and_none_is_better(history, planted, verdict):
    assert tried(history, planted=planted)["planted"].verdict is verdict


def test_a_challenger_that_has_seen_the_held_out_weeks_beforehand_is_suspicious(history):
    """It kept the future outside the history it is given: only its score can give it away."""
    truth = total_after(history, history.paid, after=LAST - 91, weeks=13)

    one = tried(history, oracle=lambda _history, _as_of: truth + 0.01)["oracle"]

    assert one.verdict is Verdict.SUSPICIOUS
    assert one.mine.loss < 0.1 * one.theirs.loss


def test_few_customers_promote_nobody(history):
    few = History(
        90, *(part[history.customer < 90] for part in (
            history.customer, history.day, history.orders, history.paid
        )), history.known_day[:90], 1,
    )  # fmt: skip

    assert tried(few, own=own_rate)["own"].verdict is Verdict.TOO_FEW


def test_a_champion_that_cannot_be_judged_says_so(history):
    planted = {"middling": Recipe(Family.VALUE, "middling", broken)}

    with pytest.raises(NotReady, match="value middling cannot be judged: ZeroDivisionError"):
        try_recipes(planted, "middling", history, as_of=LAST)


def test_without_a_difference_few_challengers_are_promoted():
    """Two equally good losses: the interval lies below zero in about 1 of 40."""
    draw = np.random.default_rng(1)
    losses = draw.gamma(1.0, 1.0, (2, 100, 300))

    promoted = sum(
        paired_bootstrap(mine, theirs, level=0.95, seed=number).high < 0
        for number, (mine, theirs) in enumerate(zip(*losses, strict=True))
    )

    assert promoted <= 7


def test_the_shipped_recipes_are_those_that_can_be_named(history):
    assert tuple(RECIPES[Family.VALUE]) == NAMES[Family.VALUE] == SPEND_MODELS
    assert tuple(RECIPES[Family.ORDERS]) == NAMES[Family.ORDERS] == tuple(ORDER_MODELS)
    assert tuple(RECIPES[Family.CHURN]) == NAMES[Family.CHURN]
    for family in (Family.VALUE, Family.ORDERS):
        found = try_recipes(RECIPES[family], DEFAULTS[family], history, as_of=LAST)
        assert {one.verdict for one in found} <= {Verdict.BETTER, Verdict.NOT_BETTER}


def test_churn_is_compared_by_its_brier_score(history):
    """Each customer stops for good at a day of his own."""
    stop = np.random.default_rng(2).uniform(0, 1.6 * LAST, CUSTOMERS)
    stays = history.day < stop[history.customer]
    parts = (history.customer, history.day, history.orders, history.paid)
    leaving = History(CUSTOMERS, *(part[stays] for part in parts), history.known_day, 1)

    [one] = try_recipes(RECIPES[Family.CHURN], "hazard", leaving, as_of=LAST)

    assert (one.challenger, one.verdict) == ("boosting", Verdict.NOT_BETTER)
    assert 0 < one.theirs.loss < 0.25
    assert one.customers < CUSTOMERS


TRIAL = Trial(
    Family.VALUE, "spend_habits", "spend_rate", Verdict.BETTER, 500, 20_000, 20_091,
    Standing(1.0, 1.0), Standing(2.0, 1.0),
    paired_bootstrap(np.full(500, 1.0), np.full(500, 2.0), level=0.95, seed=1),
)  # fmt: skip


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    file = tmp_path_factory.mktemp("models") / "state.db"
    migrate(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture
def state(tmp_path, migrated):
    (tmp_path / "state.db").write_bytes(migrated)
    return SQLState(f"sqlite:///{tmp_path / 'state.db'}")


def champion(state, turn, family=Family.VALUE):
    return serving(state, turn=turn, now=NOW)[family].champion


def keep(state, *trials, turn=5, is_automatic=True):
    return keep_trials(state, trials, turn=turn, now=NOW, is_automatic=is_automatic)


def say(state, verb, *names, turn=8, reason="looked at it"):
    call = {"promote": promote, "rollback": rollback}[verb]
    return call(state, *names, turn=turn, actor="ann", reason=reason, now=NOW)


def actions(state):
    with state.reading() as opened:
        rows = opened.all("SELECT action FROM audit_log WHERE action LIKE 'model.%' ORDER BY 1")
    return [row["action"] for row in rows]


def test_who_is_better_serves_from_the_next_turn_on_and_once(state):
    before = champion(state, 5)
    names = [keep(state, TRIAL), keep(state, TRIAL)]

    assert (before, champion(state, 5), champion(state, 6)) == (
        "spend_habits", "spend_habits", "spend_rate",
    )  # fmt: skip
    assert names == ["spend_rate", "spend_rate"]
    assert actions(state) == ["model.promote"]


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.BETTER])
def test_no_other_verdict_promotes(state, verdict):
    assert keep(state, replace(TRIAL, verdict=verdict)) == ""
    assert champion(state, 99) == "spend_habits"


def test_a_person_may_be_asked_first(state):
    assert keep(state, TRIAL, is_automatic=False) == ""

    say(state, "promote", "value", "spend_rate")

    assert (champion(state, 7), champion(state, 8)) == ("spend_habits", "spend_rate")


@pytest.mark.parametrize("verdict", ["peeks", "not_finite", "out_of_range", "failed"])
def test_not_even_a_person_promotes_what_gives_no_usable_number(state, verdict):
    keep(state, replace(TRIAL, verdict=Verdict(verdict), says="planted"))

    with pytest.raises(NotAllowed, match=f"in turn 5 it was found {verdict} \\(planted\\)"):
        say(state, "promote", "value", "spend_rate")
    assert champion(state, 99) == "spend_habits"


@pytest.mark.parametrize(
    ("family", "version", "remedy"),
    [
        ("value", "spend_rate", "run: regulars adjust models try"),
        ("response", "by_arm", "the loop tries it in time"),
    ],
)
def test_not_even_a_person_promotes_what_was_never_tried(state, family, version, remedy):
    with pytest.raises(NotAllowed, match=f"{version} .* never tried; {remedy}"):
        say(state, "promote", family, version)
    assert champion(state, 99, Family(family)) == DEFAULTS[Family(family)]


def test_going_back_never_loses_the_default(state):
    boosting = replace(TRIAL, family=Family.CHURN, champion="hazard", challenger="boosting")
    keep(state, boosting, is_automatic=False)
    say(state, "promote", "churn", "boosting", turn=6)
    say(state, "promote", "churn", "hazard", turn=7)

    assert say(state, "rollback", "churn", turn=8) == "boosting"

    assert serving(state, turn=7, now=NOW)[Family.CHURN].ladder == ("hazard", "boosting")
    found = serving(state, turn=8, now=NOW)[Family.CHURN]
    assert found.ladder == ("boosting", "hazard")
    assert found.make(str, lambda name: "not_finite" if name == "boosting" else "") == "hazard"
    assert champion(state, 8, Family.CHURN) == "hazard"
    with pytest.raises(InputError, match="has served for churn from the start"):
        say(state, "rollback", "churn", turn=9)


def test_days_are_unseen_until_a_trial_of_an_earlier_turn_holds_them_out(state):
    keep(state, TRIAL, turn=5)

    def unseen(held_from, turn=6, family=Family.VALUE):
        return is_unseen(state, family, turn=turn, held_from=held_from)

    assert (unseen(20_090), unseen(20_091)) == (False, True)
    assert unseen(20_000, turn=5), "the same turn makes its trial again"
    assert unseen(20_000, family=Family.CHURN)


def test_one_command_goes_back_step_by_step(state):
    keep(state, TRIAL, replace(TRIAL, challenger="spend_bg_nbd", verdict=Verdict.NOT_BETTER))
    say(state, "promote", "value", "spend_bg_nbd")

    gone_back = [say(state, "rollback", "value", turn=turn) for turn in (9, 10)]

    assert gone_back == ["spend_rate", "spend_habits"]
    assert [champion(state, turn) for turn in (5, 6, 8, 9, 10)] == [
        "spend_habits", "spend_rate", "spend_bg_nbd", "spend_rate", "spend_habits",
    ]  # fmt: skip
    with pytest.raises(InputError, match="has served for value from the start"):
        say(state, "rollback", "value", turn=11)
    assert actions(state) == ["model.promote"] * 2 + ["model.rollback"] * 2


def test_wrong_asks_say_what_is_wanted(state):
    with pytest.raises(UnknownName, match="no model named 'price'; known: churn, orders"):
        say(state, "promote", "price", "x")
    with pytest.raises(UnknownName, match="no recipe of value named 'x'; known: spend_bg_nbd"):
        say(state, "promote", "value", "x")
    with pytest.raises(InputError, match="serves already"):
        say(state, "promote", "value", "spend_habits")
    with pytest.raises(InputError, match="no reason is given"):
        say(state, "promote", "value", "spend_rate", reason=" ")


def test_a_champion_that_breaks_is_passed_over_and_rolled_back(state):
    keep(state, TRIAL, is_automatic=False)
    say(state, "promote", "value", "spend_rate", turn=3)

    made = serving(state, turn=4, now=NOW)[Family.VALUE].make(
        str, lambda name: "not_finite" if name == "spend_rate" else ""
    )

    assert made == "spend_habits"
    assert (champion(state, 3), champion(state, 4)) == ("spend_rate", "spend_habits")
    [line] = [one for one in lines(state, turn=5, now=NOW) if one.family == "value"]
    assert (line.changes[0].verb, line.changes[0].reason) == ("guard", "spend_rate: not_finite")


@pytest.mark.parametrize("error", [RuntimeError, AttributeError, NotReady, MemoryError])
def test_whatever_a_champion_raises_the_one_before_it_serves(error):
    told = []

    def build(name):
        if name == "boosting":
            raise error("planted")
        return name

    serves = Serving(Family.CHURN, ("boosting", "hazard"), fell=lambda *said: told.append(said))

    assert serves.make(build, lambda _made: "") == "hazard"
    assert told == [("boosting", "hazard", f"{error.__name__}: planted")]


def test_too_little_to_learn_from_is_said_by_the_last_of_them():
    def build(name):
        raise NotReady(f"{name} needs a year")

    with pytest.raises(NotReady, match="hazard needs a year"):
        Serving(Family.CHURN, ("boosting", "hazard")).make(build, lambda _made: "")


def test_a_model_of_orders_that_cannot_be_fitted_is_passed_over(history, monkeypatch):
    def unready(_histories):
        raise NotReady("planted")

    monkeypatch.setitem(ORDER_MODELS, "mbg_nbd", unready)
    told = []
    serves = {
        Family.VALUE: default_serving(Family.VALUE),
        Family.ORDERS: Serving(
            Family.ORDERS, ("mbg_nbd", "bg_nbd"), fell=lambda *said: told.append(said)
        ),
    }

    found = step._served(history, LAST, serves)

    assert "bg_nbd" in {model for model, _name, _value in found.parameters}
    assert [said[:2] for said in told] == [("mbg_nbd", "bg_nbd")]


def test_when_not_even_the_default_serves_the_turn_stops():
    with pytest.raises(ArithmeticError, match="not even spend_habits: not_finite"):
        Serving(Family.VALUE, ("spend_rate", "spend_habits")).make(str, lambda _name: "not_finite")


def test_a_line_tells_what_serves_how_good_it_is_and_against_whom(state):
    keep(state, TRIAL, replace(TRIAL, challenger="spend_bg_nbd", verdict=Verdict.FAILED))

    [line] = [one for one in lines(state, turn=6, now=NOW) if one.family == "value"]

    assert (line.champion, line.from_turn) == ("spend_rate", 6)
    assert [(one.version, one.status) for one in line.models] == [
        ("spend_rate", "champion"), ("spend_habits", "retired"), ("spend_bg_nbd", "shadow"),
    ]  # fmt: skip
    assert line.models[0].metrics == {"calibration": 1.0, "loss": 1.0}
    assert line.models[1].metrics["loss"] == 2.0
    assert {row["challenger"] for row in line.trials} == {"spend_rate", "spend_bg_nbd"}
