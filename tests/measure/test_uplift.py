"""Uplift: learners on known truth and on real experiments, and metrics that cannot be talked round."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.uplift.learners import (
    LEARNERS,
    Base,
    experiment_data,
    fit_dr_learner,
    fit_sensitivity,
)
from regulars.decide.uplift.learners.bases import fit_of
from regulars.errors import InputError
from regulars.measure.uplift import (
    net_incremental_revenue,
    net_revenue_interval,
    qini,
    targeting_worth,
    uplift_calibration,
)


def world(customers, seed):
    """Effects that bend with two features; ten features, half treated."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (customers, 10))
    effect = 0.5 + 0.5 * np.tanh(2 * x[:, 0]) + 0.3 * (x[:, 1] > 0)
    arm = rng.integers(0, 2, customers)
    outcome = x[:, 2] + np.sin(x[:, 3]) + arm * effect + rng.normal(0, 1, customers)
    return x, arm, outcome, effect


def out_of_fold(learner, x, arm, outcome, *, folds=5, seed=1, **options):
    fold = np.random.default_rng(seed).permutation(len(outcome)) % folds
    score = np.empty(len(outcome))
    for number in range(folds):
        own = fold == number
        data = experiment_data(x[~own], arm[~own], outcome[~own])
        score[own] = LEARNERS[learner](data, **options).predict(x[own])[:, 0]
    return score


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("base", [Base.RIDGE, Base.BOOSTING])
def test_every_learner_finds_effects_that_are_there(learner, base):
    x, arm, outcome, effect = world(4000, 1)
    fresh, _, _, truth = world(4000, 2)

    found = LEARNERS[learner](experiment_data(x, arm, outcome), base=base).predict(fresh)[:, 0]

    error = np.sqrt(np.mean((found - truth) ** 2))
    assert error < (0.75 if base is Base.RIDGE else 0.9) * truth.std()
    assert found.mean() == pytest.approx(truth.mean(), abs=0.08)
    assert effect.std() > 0.4


def test_boosted_doubly_robust_learning_bends_where_lines_cannot():
    rng = np.random.default_rng(3)
    x, arm = rng.normal(0, 1, (4000, 4)), rng.integers(0, 2, 4000)
    truth = np.abs(x[:, 0])
    data = experiment_data(x, arm, arm * truth + rng.normal(0, 1, 4000))

    error = {
        base: np.sqrt(np.mean((fit_dr_learner(data, base=base).predict(x)[:, 0] - truth) ** 2))
        for base in (Base.RIDGE, Base.BOOSTING)
    }

    assert error[Base.BOOSTING] < 0.8 * error[Base.RIDGE]


def test_a_stacked_effect_model_bends_where_there_is_a_bend_and_claims_little_where_there_is_none():
    rng = np.random.default_rng(4)
    x, arm = rng.normal(0, 1, (4000, 6)), rng.integers(0, 2, 4000)
    noise = rng.normal(0, 1, 4000)
    errors = {}
    for name, truth in {"even": np.full(4000, 0.3), "bent": 0.8 * np.abs(x[:, 0])}.items():
        data = experiment_data(x, arm, x[:, 1] + arm * truth + noise)
        for effect in Base:
            found = fit_dr_learner(data, base=Base.BOOSTING, effect=effect).predict(x)[:, 0]
            errors[name, effect] = np.sqrt(np.mean((found - truth) ** 2))

    assert errors["even", Base.STACKED] < 0.6 * errors["even", Base.BOOSTING]
    assert errors["bent", Base.STACKED] < 0.6 * errors["bent", Base.RIDGE]
    assert errors["bent", Base.STACKED] < 1.05 * errors["bent", Base.BOOSTING]


def test_shares_of_a_stacked_model_follow_the_weights_of_customers():
    """Two halves that bend opposite ways; who weighs almost nothing changes almost nothing."""
    rng = np.random.default_rng(8)
    x = rng.normal(0, 1, (2000, 2))
    light = np.arange(2000) % 2 == 1
    outcome = np.where(light, -5.0, 1.0) * np.sign(x[:, 0]) + 0.1 * rng.normal(0, 1, 2000)
    weight = np.where(light, 1e-6, 1.0)

    found = fit_of(Base.STACKED, seed=7)(x, outcome, weight).predict(x)

    assert np.corrcoef(found, np.sign(x[:, 0]))[0, 1] > 0.95
    assert np.abs(found).max() == pytest.approx(1.0, abs=0.3)


def test_several_offers_are_told_apart():
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (9000, 3))
    arm = rng.integers(0, 3, 9000)
    effects = np.stack([np.zeros(9000), x[:, 0], -x[:, 0]], axis=1)
    outcome = effects[np.arange(9000), arm] + rng.normal(0, 1, 9000)

    for learner in LEARNERS.values():
        found = learner(experiment_data(x, arm, outcome)).predict(x)
        assert np.corrcoef(found[:, 0], x[:, 0])[0, 1] > 0.9
        assert np.corrcoef(found[:, 1], -x[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("base", list(Base))
def test_promotion_sensitivity_is_told_customer_by_customer(base):
    """Discounts of four depths; whoever is price-minded buys more the deeper, others do not."""
    rng = np.random.default_rng(5)
    x, depth = rng.normal(0, 1, (12_000, 4)), rng.choice([0.0, 0.05, 0.1, 0.2], 12_000)
    slope = np.where(x[:, 0] > 0, 12.0, 0.0)
    outcome = 3 * x[:, 1] + slope * depth + rng.normal(0, 1, 12_000)

    found = fit_sensitivity(x[:8000], depth[:8000], outcome[:8000], base=base).predict(x[8000:])

    minded, slack = x[8000:, 0] > 0, 3.2 if base is Base.RIDGE else 1.5
    assert found.mean() == pytest.approx(6.0, abs=0.6)
    assert found[minded].mean() == pytest.approx(12.0, abs=slack)
    assert found[~minded].mean() == pytest.approx(0.0, abs=slack)
    assert np.corrcoef(found, slope[8000:])[0, 1] > 0.7


def test_who_gets_deeper_discounts_more_often_does_not_look_more_sensitive():
    """The planted trap: good customers were dealt deeper discounts, which change nothing."""
    rng = np.random.default_rng(6)
    x = rng.normal(0, 1, (8000, 2))
    chance = 1 / (1 + np.exp(-2 * x[:, 0]))
    depth = 0.2 * (rng.random(8000) < chance)
    outcome = 4 * x[:, 0] + rng.normal(0, 1, 8000)

    blind = fit_sensitivity(x, depth, outcome)
    told = fit_sensitivity(x, depth, outcome, expected_depth=0.2 * chance)

    assert abs(told.predict(x).mean()) < 0.5
    assert abs(np.polyfit(depth, outcome, 1)[0]) > 15
    assert abs(told.predict(x).mean()) <= abs(blind.predict(x).mean()) + 0.2


def test_the_uplift_curves_area_is_the_qini_and_half_of_what_offering_to_all_brings():
    x, arm, outcome, _ = world(3000, 4)
    found = qini(x[:, 0], arm, outcome, draws=0)

    assert found.auuc == pytest.approx(found.coefficient + found.gain[-1] / 2)


def hillstrom(shared_data, mail):
    rows = pd.read_parquet(shared_data("hillstrom") / "hillstrom.parquet")
    rows = rows[rows["segment"].isin([mail, "No E-Mail"])]
    numbers = rows[["recency", "history", "mens", "womens", "newbie"]].astype(float)
    words = pd.get_dummies(rows[["zip_code", "channel"]]).astype(float)
    level = np.log1p(rows[["history"]]).add_suffix("_log")
    x = pd.concat([numbers, level, words], axis=1).to_numpy()
    return x, (rows["segment"] == mail).to_numpy().astype(int), rows["visit"].to_numpy(float)


def test_targeting_the_womens_mail_beats_chance_with_an_interval(shared_data):
    x, arm, visit = hillstrom(shared_data, "Womens E-Mail")
    score = out_of_fold("t", x, arm, visit)

    found = qini(score, arm, visit, draws=60)
    worth = targeting_worth(score > 0.045, arm, visit, propensity=[0.5, 0.5], cost=0.045)

    assert found.coefficient == pytest.approx(0.0076, abs=0.0012)
    assert found.low > 0
    assert worth.over_random.low > 0


def test_targeting_the_mens_mail_is_not_claimed_to_beat_mailing_everybody(shared_data):
    x, arm, visit = hillstrom(shared_data, "Mens E-Mail")

    for learner in LEARNERS:
        score = out_of_fold(learner, x, arm, visit)
        worth = targeting_worth(score > 0.045, arm, visit, propensity=[0.5, 0.5], cost=0.045)
        assert not worth.over_everybody.low > 0


def starbucks(shared_data):
    rows = pd.read_parquet(shared_data("starbucks_promo") / "training.parquet")
    words = pd.get_dummies(
        rows[[f"V{n}" for n in range(1, 8)]], columns=["V1", "V4", "V5", "V6", "V7"]
    )
    arm = (rows["Promotion"] == "Yes").to_numpy().astype(int)
    return words.to_numpy(float), arm, rows["purchase"].to_numpy(float)


def best_threshold(score, arm, bought):
    """The threshold on which the promotion earned most, among quantiles of the score."""
    tried = np.quantile(score, np.linspace(0.3, 0.95, 14))
    earned = [
        net_incremental_revenue(score > one, arm, bought, price=10, cost=0.15) for one in tried
    ]
    return tried[int(np.argmax(earned))]


def test_the_starbucks_promotion_earns_more_than_the_published_strategy(shared_data):
    """Published: 189.45 on 41,650 customers. Threshold chosen inside each outer fold."""
    x, arm, bought = starbucks(shared_data)
    outer = np.random.default_rng(0).permutation(len(bought)) % 5
    chosen = np.zeros(len(bought), bool)
    for number in range(5):
        own = outer == number
        inside = out_of_fold("t", x[~own], arm[~own], bought[~own], folds=4)
        threshold = best_threshold(inside, arm[~own], bought[~own])
        model = LEARNERS["t"](experiment_data(x[~own], arm[~own], bought[~own]))
        chosen[own] = model.predict(x[own])[:, 0] > threshold

    scale = 41_650 / len(bought)
    earned = net_incremental_revenue(chosen, arm, bought, price=10, cost=0.15) * scale
    worth = targeting_worth(chosen, arm, bought, propensity=[0.5, 0.5], value=10, cost=0.15)

    shown = net_revenue_interval(chosen, arm, bought, price=10, cost=0.15, scaled_to=41_650)

    assert earned == pytest.approx(shown.value)
    assert shown.low > 189.45
    assert worth.over_nobody.low > 0
    # Twice the net incremental revenue per customer, as half of the chosen were held out.
    assert worth.over_nobody.value * 41_650 / 2 == pytest.approx(earned, rel=0.25)


def test_a_score_that_saw_the_outcome_looks_better_than_it_is():
    """The planted leak: learned and judged on the same customers, where nothing is to be found."""
    rng = np.random.default_rng(1)
    x, arm = rng.normal(0, 1, (2000, 40)), rng.integers(0, 2, 2000)
    outcome = rng.normal(0, 1, 2000)
    leaky = LEARNERS["t"](experiment_data(x, arm, outcome)).predict(x)[:, 0]

    assert qini(leaky, arm, outcome, draws=80).low > 0
    assert qini(out_of_fold("t", x, arm, outcome), arm, outcome, draws=80).low < 0


def test_the_interval_of_a_score_that_knows_nothing_holds_zero_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(120):
        score, arm = rng.random(800), rng.integers(0, 2, 800)
        found = qini(score, arm, rng.normal(0, 1, 800), draws=60)
        covered += found.low <= 0 <= found.high

    assert covered / 120 >= 0.88


@given(st.integers(0, 1000), st.floats(0.1, 9))
@settings(max_examples=30, deadline=None)
def test_the_qini_sees_the_ranking_alone(seed, factor):
    rng = np.random.default_rng(seed)
    score, arm = rng.integers(0, 6, 300).astype(float), rng.integers(0, 2, 300)
    outcome = rng.random(300)
    order = rng.permutation(300)

    plain = qini(score, arm, outcome, draws=0).coefficient
    shuffled = qini(score[order], arm[order], outcome[order], draws=0).coefficient
    stretched = qini(score * factor + 1, arm, outcome, draws=0).coefficient

    assert shuffled == pytest.approx(plain, abs=1e-12)
    assert stretched == pytest.approx(plain, abs=1e-12)
    assert qini(np.ones(300), arm, outcome, draws=0).coefficient == pytest.approx(0, abs=1e-12)


def test_bold_predictions_have_a_slope_below_one_and_true_ones_of_one():
    x, arm, outcome, effect = world(20_000, 6)

    true = uplift_calibration(effect, arm, outcome)
    bold = uplift_calibration(3 * effect, arm, outcome)

    assert true.low <= 1 <= true.high
    assert bold.slope == pytest.approx(true.slope / 3, abs=0.01)
    assert len(true.measured) == 10


def test_what_a_handful_of_customers_did_is_no_evidence():
    rng = np.random.default_rng(1)
    chosen = np.ones(5000, int)
    chosen[:20] = 0
    arm = rng.integers(0, 2, 5000)
    worth = targeting_worth(chosen, arm, np.ones(5000), propensity=[0.5, 0.5], cost=0.1)

    assert worth.over_everybody.low == -np.inf


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: experiment_data([[1.0]], [0], [1.0]), "every arm must have some"),
        (lambda: experiment_data([[np.nan], [1.0]], [0, 1], [1.0, 2.0]), "nan"),
        (lambda: experiment_data([1.0, 2.0], [0, 1], [1.0, 2.0]), "one row, arm and outcome"),
        (lambda: qini([1.0, 2.0], [1, 1], [0.0, 1.0]), "the same for everybody"),
        (lambda: uplift_calibration([1.0, 1.0], [0, 1], [0.0, 1.0]), "nothing to calibrate"),
        (
            lambda: targeting_worth([1], [1], [1.0], propensity=[0.0, 1.0]),
            r"numbers in \(0, 1\)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, hint):
    with pytest.raises(InputError, match=hint):
        call()
