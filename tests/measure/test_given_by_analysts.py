"""Whatever an analyst gives: each kind of table gives the same, and rubbish is refused in words."""

import warnings

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from regulars.decide.assignment import Experiment, assign, held_out
from regulars.decide.bandits import LinearArms, beta_thompson, epsilon_greedy, lin_thompson, lin_ucb
from regulars.decide.budget import (
    Guards,
    Limits,
    allocate,
    assign_table,
    fit_curves,
    pace,
    plan_budget,
    points_of,
)
from regulars.decide.uplift.learners import experiment_data, fit_dr_learner, fit_sensitivity
from regulars.errors import InputError
from regulars.measure.experiments import (
    Inference,
    Kind,
    Metric,
    Plan,
    Progress,
    adjusted,
    as_moments,
    believe_shares,
    bounds,
    check_sample_ratio,
    crossing_probability,
    customers_needed,
    days_needed,
    detectable,
    difference,
    moments,
    moments_by_variant,
    moments_of,
    quantile_difference,
    read_any_time,
    read_at_look,
    read_once,
    read_out,
    sequential_sample_ratio,
    switchback_effect,
)
from regulars.measure.long_term import long_term_effect
from regulars.measure.off_policy import cross_fitted, doubly_robust, logged
from regulars.measure.uplift import (
    net_incremental_revenue,
    net_revenue_interval,
    qini,
    targeting_worth,
    uplift_calibration,
)
from regulars.numerics.given import columns_given, floats_given
from regulars.understand.churn import auc, auc_gain, brier, fit_churn, leaking_features
from regulars.understand.value import buyers, count_histories, fit_gamma_gamma, group_histories

DRAW = np.random.default_rng(5)
FEATURES = DRAW.normal(size=(400, 3))
ARM = DRAW.integers(0, 2, 400)
OUTCOME = ARM * np.maximum(FEATURES[:, 0], 0) + DRAW.normal(size=400)
SCORE = FEATURES[:, 0]
ONES = np.ones(400)
CHURNED = (DRAW.random(400) < 1 / (1 + np.exp(-SCORE))).astype(float)
TARGET = np.tile([0.2, 0.8], (400, 1))
EVEN = {"price": 10.0, "cost": 0.1}

NUMBERS = {
    "moments_of": lambda part: moments_of(part, OUTCOME),
    "qini": lambda part: qini(part, ARM, OUTCOME, draws=0),
    "qini, outcome": lambda part: qini(SCORE, ARM, part, draws=0),
    "uplift_calibration": lambda part: uplift_calibration(part, ARM, OUTCOME),
    "targeting_worth": lambda part: targeting_worth(ARM, ARM, part, propensity=[0.5, 0.5]),
    "net_incremental_revenue": lambda part: net_incremental_revenue(ARM, ARM, part, **EVEN),
    "experiment_data": lambda part: experiment_data(FEATURES, ARM, part),
    "fit_sensitivity": lambda part: fit_sensitivity(FEATURES, ARM * 0.1, part),
    "logged": lambda part: logged(ARM, part, 0.5 * ONES, TARGET),
    "cross_fitted": lambda part: cross_fitted(FEATURES, ARM, part, 2, seed=1),
    "long_term_effect": lambda part: long_term_effect(ARM, part, OUTCOME, OUTCOME),
    "auc": lambda part: auc(part, CHURNED),
    "auc_gain": lambda part: auc_gain(SCORE, part, CHURNED, draws=2),
    "group_histories": lambda part: group_histories(part, 0 * ONES, ONES),
    "group_histories, times": lambda part: group_histories(ONES, part, ONES),
    "buyers": lambda part: buyers(part, 0 * ONES, ONES, ONES),
    "fit_gamma_gamma": lambda part: fit_gamma_gamma(part, ONES),
}
FLAGS = {
    "qini": lambda part: qini(SCORE, part, OUTCOME, draws=0),
    "uplift_calibration": lambda part: uplift_calibration(SCORE, part, OUTCOME),
    "net_incremental_revenue": lambda part: net_incremental_revenue(ARM, part, ARM, **EVEN),
    "net_revenue_interval": lambda part: net_revenue_interval(part, ARM, ARM, **EVEN),
    "long_term_effect": lambda part: long_term_effect(part, OUTCOME, OUTCOME, OUTCOME),
    "fit_churn": lambda part: fit_churn(FEATURES, part),
    "auc": lambda part: auc(SCORE, part),
    "brier": lambda part: brier(CHURNED, part),
}
ARMS = {
    "experiment_data": lambda part: experiment_data(FEATURES, part, OUTCOME),
    "targeting_worth": lambda part: targeting_worth(ARM, part, OUTCOME, propensity=[0.5, 0.5]),
    "targeting_worth, chosen": lambda part: targeting_worth(part, ARM, ONES, propensity=[0.5, 0.5]),
    "logged": lambda part: logged(part, OUTCOME, 0.5 * ONES, TARGET),
    "cross_fitted": lambda part: cross_fitted(FEATURES, part, OUTCOME, 2, seed=1),
}
TABLES = {
    "experiment_data": lambda part: experiment_data(part, ARM, OUTCOME),
    "fit_sensitivity": lambda part: fit_sensitivity(part, ARM * 0.1, OUTCOME),
    "cross_fitted": lambda part: cross_fitted(part, ARM, OUTCOME, 2, seed=1),
    "fit_churn": lambda part: fit_churn(part, CHURNED),
}
CALLS = [
    (name, call, good)
    for calls, good in ((NUMBERS, ONES), (FLAGS, ARM), (ARMS, ARM), (TABLES, FEATURES))
    for name, call in calls.items()
]


def _spoilt(column, value):
    spoilt = np.array(column, dtype=object)
    spoilt.flat[7] = value
    return spoilt


RUBBISH = {
    "nan": lambda column: _spoilt(column, np.nan).astype(float),
    "endless": lambda column: _spoilt(column, np.inf).astype(float),
    "nothing in one": lambda column: _spoilt(column, None),
    "words": lambda column: np.full(column.shape, "Yes"),
    "a word in one": lambda column: _spoilt(column, "n/a"),
    "numbers as words": lambda column: column.astype(str),
    "dates": lambda column: np.full(column.shape, np.datetime64("2026-01-01")),
    "complex": lambda column: column.astype(complex),
    "nothing": lambda _column: None,
    "one too few": lambda column: column[:-1],
    "one axis more": lambda column: np.stack([column, column], axis=-1),
    "masked": lambda column: np.ma.masked_array(column.astype(float), column == column.flat[7]),
}


def refused(call, rubbish):
    """Give the words rubbish is refused with, where NumPy neither raises nor warns on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as found:
            call(rubbish)
    return str(found.value)


@pytest.mark.parametrize("kind", sorted(RUBBISH))
@pytest.mark.parametrize(("name", "call", "good"), CALLS, ids=[one[0] for one in CALLS])
def test_rubbish_for_a_column_is_refused_in_words(name, call, good, kind):
    told = refused(call, RUBBISH[kind](good))
    assert "could not" not in told and "broadcast" not in told and "Traceback" not in told


def _kinds_of(columns):
    frame = pd.DataFrame(columns)
    arrow = pa.table(columns)
    return {"pandas": frame, "arrow": arrow, "ibis": ibis.memtable(arrow), "columns": columns}


@pytest.mark.parametrize("kind", ["pandas", "arrow", "ibis", "columns"])
def test_features_may_come_in_any_kind_of_table(kind):
    columns = {name: FEATURES[:, place] for place, name in enumerate("abc")}
    table = _kinds_of(columns)[kind]
    asked = FEATURES[:9]
    plain = fit_dr_learner(experiment_data(FEATURES, ARM, OUTCOME)).predict(asked)
    few = _kinds_of({name: column[:9] for name, column in columns.items()})[kind]
    assert (fit_dr_learner(experiment_data(table, ARM, OUTCOME)).predict(few) == plain).all()
    assert (
        fit_churn(table, CHURNED).predict(few) == fit_churn(FEATURES, CHURNED).predict(asked)
    ).all()
    assert columns_given(table) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["pandas", "arrow", "ibis", "columns"])
def test_columns_may_come_in_any_kind_of_table(kind):
    table = _kinds_of({"spend": OUTCOME, "treated": ARM})[kind]
    spend = table.column("spend") if kind == "arrow" else table["spend"]
    treated = table.column("treated") if kind == "arrow" else table["treated"]
    assert moments_of(spend) == moments_of(OUTCOME)
    assert (
        qini(spend, treated, spend, draws=0).coefficient
        == qini(OUTCOME, ARM, OUTCOME, draws=0).coefficient
    )
    assert (
        assign(treated, Experiment("a"), seed=1).tolist()
        == assign(ARM, Experiment("a"), seed=1).tolist()
    )


def test_a_column_that_knows_the_outcome_is_named_by_its_table():
    known = pd.DataFrame({"visits": FEATURES[:, 1], "cancelled": CHURNED})
    with pytest.raises(InputError, match="cancelled"):
        fit_churn(known, CHURNED)
    assert leaking_features(known, CHURNED) == ["cancelled (1.000)"]
    with pytest.raises(InputError, match="column 'city' of features holds words, such as 'Wuhan'"):
        fit_churn(pd.DataFrame({"city": ["Wuhan"] * 400}), CHURNED)


SHOP = {
    "variant": ["a", "b"] * 200,
    "spend": (10 + OUTCOME).tolist(),
    "bought": ARM.tolist(),
    "segment": ["new", "old"] * 200,
}
SPEND = Plan({"a": 0.5, "b": 0.5}, [Metric("spend", "spend")])


def _shop(**columns):
    return {**SHOP, **columns}


def test_moments_come_from_any_kind_of_table():
    found = [
        as_moments(moments_by_variant(one, ["variant"], value="spend").to_pyarrow().to_pylist())
        for one in _kinds_of(SHOP).values()
    ]
    assert all((one.mean == found[0].mean).all() for one in found)
    assert found[0].count.tolist() == [200, 200]


@pytest.mark.parametrize("kind", ["pandas", "arrow", "columns"])
def test_who_has_no_value_is_left_out_whatever_the_table_says_for_it(kind):
    empty = _kinds_of(_shop(spend=[None, *SHOP["spend"][1:]]))["arrow"]
    nan = _kinds_of(_shop(spend=[float("nan"), *SHOP["spend"][1:]]))[kind]
    assert read_out(nan, SPEND).findings == read_out(empty, SPEND).findings
    median = Plan({"a": 0.5, "b": 0.5}, [Metric("median", "spend", kind=Kind.QUANTILE)])
    assert read_out(nan, median).findings == read_out(empty, median).findings


def test_a_metric_whose_treated_customers_are_missing_more_often_is_not_read():
    lacking = [None if place % 2 and place % 3 else one for place, one in enumerate(SHOP["spend"])]
    once = Plan({"a": 0.5, "b": 0.5}, [Metric("spend", "spend")], Inference.ONCE)
    readout = read_out(_shop(spend=lacking), once, Progress(days_run=14))
    assert [refusal.gate.value for refusal in readout.refusals] == ["sample_ratio"]
    assert "of those with a value of 'spend'" in readout.refusals[0].says
    assert readout.findings == ()


@pytest.mark.parametrize(
    ("shop", "plan", "hint"),
    [
        (_shop(spend=["ten"] * 400), SPEND, "column 'spend' holds string, no numbers"),
        (_shop(spend=[float("inf"), *SHOP["spend"][1:]]), SPEND, "infinite"),
        (
            _shop(bought=[2] * 400),
            Plan({"a": 0.5, "b": 0.5}, [Metric("buyers", "bought", kind=Kind.PROPORTION)]),
            "holds 2 to 2",
        ),
        (_shop(customer_id=[place // 2 for place in range(400)]), SPEND, "of 200 customers"),
        (_shop(variant=[None] * 400), SPEND, "variant 'None' is not in the plan"),
        (_shop(variant=["a"] * 3), SPEND, "cannot be read as a table"),
        ("shop.csv", SPEND, "cannot be read as a table"),
    ],
)
def test_a_table_that_would_be_read_wrongly_is_refused(shop, plan, hint):
    with pytest.raises(InputError, match=hint):
        read_out(shop, plan)


def test_plans_may_be_written_in_words_and_gates_keep_to_them():
    plan = Plan({"a": 0.5, "b": 0.5}, [Metric("spend", "spend")], "once", correction="bonferroni")
    assert plan.inference is Inference.ONCE
    [refusal] = read_out(SHOP, plan, Progress(days_run=3)).refusals
    assert refusal.gate.value == "too_early"
    assert adjusted([0.01, 0.02], "holm").tolist() == [0.02, 0.02]
    assert (bounds([0.5, 1.0], spending="pocock") != bounds([0.5, 1.0])).all()


ESTIMATE = difference(moments(50, 1.0, 4.0), moments(50, 2.0, 4.0))
NEW_ARMS = LinearArms(2)
for _arm in ("x", "y"):
    NEW_ARMS.add(_arm)
POINTS = {
    "segment": ["all"] * 3,
    "channel": ["sms"] * 3,
    "offer_id": ["ten"] * 3,
    "spend": [50.0, 100.0, 200.0],
    "effect": [110.0, 190.0, 300.0],
    "standard_error": [20.0] * 3,
}
CURVES = fit_curves(points_of(POINTS))
DRAWN = {"key": "c", "seed": 7, "purpose": "app"}
LOG = logged(ARM, OUTCOME, 0.5 * ONES, TARGET)
WRONG = {
    "a split of what is no number": lambda: check_sample_ratio([np.nan, 600], [0.5, 0.5]),
    "half a customer": lambda: check_sample_ratio([500.5, 600], [0.5, 0.5]),
    "a split in words": lambda: check_sample_ratio(["a", "b"], [0.5, 0.5]),
    "a level above 1": lambda: check_sample_ratio([50, 60], [0.5, 0.5], alpha=5),
    "a nan split": lambda: sequential_sample_ratio([[np.nan, 5]], [0.5, 0.5]),
    "no concentration": lambda: sequential_sample_ratio([[5, 5]], [0.5, 0.5], concentration=0),
    "a count of nan": lambda: moments([np.nan, 2], 1, 1),
    "moments that do not fit": lambda: moments([1, 2], [1, 2, 3], 1),
    "shares that do not fit": lambda: believe_shares([1, 2], [9, 9], [1, 2, 3], 9),
    "a nan look": lambda: bounds([0.5, np.nan]),
    "an unknown spending": lambda: bounds([0.5, 1.0], spending="all at once"),
    "an unknown correction": lambda: adjusted([0.1], "none"),
    "limits below 0": lambda: crossing_probability([-2.0, 2.0], [0.5, 1.0]),
    "too few limits": lambda: crossing_probability([2.0], [0.5, 1.0]),
    "looks that do not rise": lambda: crossing_probability([2.0, 2.0], [1.0, 0.5]),
    "a median of nan": lambda: quantile_difference([np.nan] * 99, range(99)),
    "a schedule of nan": lambda: switchback_effect([[1.0, 2.0]], [[np.nan, 1.0]]),
    "a level in words": lambda: read_once(ESTIMATE, level="high"),
    "a level of 95": lambda: read_at_look(ESTIMATE, [1.0], level=95),
    "tuned at nan": lambda: read_any_time(ESTIMATE, tuned_at=np.nan),
    "an effect in words": lambda: customers_needed("large", 1.0),
    "explained below 0": lambda: detectable(100, 1.0, explained=-1.0),
    "fewer customers than none": lambda: days_needed(-4, 3.0),
    "days before the start": lambda: Progress(days_run=-1),
    "a design in per cent": lambda: Plan({"a": 50, "b": 50}, [Metric("spend", "spend")]),
    "an unknown kind": lambda: Metric("spend", "spend", kind="sum"),
    "a level of a policy": lambda: doubly_robust(LOG, level=95),
    "arms nobody has": lambda: cross_fitted(FEATURES, ARM, OUTCOME, 1, seed=1),
    "an infinite price": lambda: allocate([[np.inf]], [1.0], budget=1.0),
    "a budget of nan": lambda: allocate([[1.0]], [1.0], budget=np.nan),
    "costs of others": lambda: allocate([[1.0, 2.0]], [1.0, 1.0, 1.0], budget=1.0),
    "a budget in words": lambda: plan_budget(CURVES, budget="all"),
    "an infinite budget": lambda: plan_budget(CURVES, budget=np.inf),
    "a floor above the ceiling": lambda: Limits(floor=50, ceiling=10),
    "a pin of nan": lambda: Limits(pin=np.nan),
    "a hurdle of nan": lambda: Guards(hurdle=np.nan),
    "an infinite effect": lambda: points_of({**POINTS, "effect": [np.inf, 1.0, 1.0]}),
    "effects in words": lambda: points_of({**POINTS, "effect": ["much"] * 3}),
    "columns of two lengths": lambda: points_of({**POINTS, "effect": [1.0]}),
    "a spend of nan": lambda: pace(100.0, np.nan, day=1, days=7),
    "a list of rows": lambda: assign_table([1, 2], budget=1.0),
    "nobody eligible": lambda: lin_ucb(NEW_ARMS, [1, 1], [], **DRAWN),
    "an arm twice": lambda: epsilon_greedy(NEW_ARMS, [1, 1], ["x", "x"], **DRAWN),
    "arms run together": lambda: lin_thompson(NEW_ARMS, [1, 1], "xy", **DRAWN),
    "a width of nan": lambda: lin_thompson(NEW_ARMS, [1, 1], ["x", "y"], width=np.nan, **DRAWN),
    "a context in words": lambda: lin_ucb(NEW_ARMS, ["new", "old"], ["x", "y"], **DRAWN),
    "counts of nan": lambda: beta_thompson({"a": (np.nan, 1)}, **DRAWN),
    "half a pair of counts": lambda: beta_thompson({"a": (1,)}, **DRAWN),
    "a reward in words": lambda: NEW_ARMS.learn("x", [1, 1], "much"),
    "a ridge of nan": lambda: LinearArms(2, ridge=np.nan),
    "shares of nan": lambda: Experiment("a", shares=(np.nan, 0.5)),
    "a missing id": lambda: assign(["a", None], Experiment("a"), seed=1),
    "more than everybody": lambda: held_out(["a"], seed=1, purpose="global", share=2.0),
    "too few features": lambda: fit_dr_learner(experiment_data(FEATURES, ARM, OUTCOME)).predict([
        [1]
    ]),
    "more churn features": lambda: fit_churn(FEATURES, CHURNED).predict([[1.0, 2.0, 3.0, 4.0]]),
    "an unknown model": lambda: fit_churn(FEATURES, CHURNED, base="forest"),
    "scores out of range": lambda: brier([1.5], [1]),
    "no histories": lambda: count_histories({"customer_id": [], "day": []}, until=9),
    "orders before joining": lambda: buyers([2], [9], [3], [1.0]),
    "a set": lambda: floats_given({1, 2}, "spend"),
    "a table without columns": lambda: floats_given({}, "features", axes=2),
    "ragged rows": lambda: floats_given([[1.0], [1.0, 2.0]], "features", axes=2),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_what_cannot_be_is_refused_in_words(wrong):
    told = refused(lambda call: call(), WRONG[wrong])
    assert len(told) > 10 and "could not" not in told and "broadcast" not in told


def test_ids_may_be_given_as_they_are():
    ids = [f"c{place}" for place in range(2000)]
    own = assign(ids, Experiment("subject"), seed=7)
    assert (own == assign(pd.Series(ids), Experiment("subject"), seed=7)).all()
    assert (own == assign(pa.array(ids), Experiment("subject"), seed=7)).all()
    assert abs(own.mean() - 0.5) < 0.04
    out = held_out(ids, seed=7, purpose="global", share=0.1)
    assert (assign(ids, Experiment("subject"), seed=7, held_out=out)[out] == -1).all()
