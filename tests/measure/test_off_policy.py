"""Off-policy evaluation: a published truth, real logs, simulations, planted mistakes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from regulars.errors import InputError
from regulars.measure.off_policy import ESTIMATORS, cross_fitted, judge, logged

PUBLISHED_TRUTH = 0.9634340222575517
"""zr-obp, README: digits as a bandit, random forest as the policy to be judged."""


@pytest.fixture(name="digits", scope="module")
def digits_as_a_bandit():
    """Classes are arms, a right class pays 1; a logistic regression explored and was logged."""
    X, y = load_digits(return_X_y=True)
    X_train, X, y_train, y = train_test_split(X, y, test_size=0.7, random_state=12345)
    logging = LogisticRegression(max_iter=10_000, random_state=12345).fit(X_train, y_train)
    judged = RandomForestClassifier(random_state=12345).fit(X_train, y_train)
    behave = np.full((y.size, 10), 0.2 / 10)
    behave[np.arange(y.size), logging.predict(X)] += 0.8
    target = np.zeros((y.size, 10))
    target[np.arange(y.size), judged.predict(X).astype(int)] = 1.0
    return X, y, behave, target


def drawn(digits, seed, *, with_model=True):
    X, y, behave, target = digits
    rng = np.random.default_rng(seed)
    arm = (rng.random((y.size, 1)) > behave.cumsum(axis=1)).sum(axis=1).clip(0, 9)
    reward = (arm == y).astype(float)
    model = cross_fitted(X, arm, reward, 10, seed=seed, ridge=50.0) if with_model else None
    return logged(arm, reward, behave[np.arange(y.size), arm], target, model)


def test_the_published_truth_of_the_digits_is_met(digits):
    _, y, _, target = digits

    assert target[np.arange(y.size), y].mean() == pytest.approx(PUBLISHED_TRUTH, abs=1e-15)


def test_estimates_are_unbiased_and_the_doubly_robust_one_is_nearer(digits):
    found = {name: [] for name in ESTIMATORS}
    for seed in range(60):
        log = drawn(digits, seed)
        for name, estimator in ESTIMATORS.items():
            found[name].append(estimator(log).value - PUBLISHED_TRUTH)

    errors = {name: np.abs(gaps).mean() for name, gaps in found.items()}
    for name in ("importance_sampling", "doubly_robust"):
        assert abs(np.mean(found[name])) < 0.002, name
    for name in ("importance_sampling", "self_normalised", "doubly_robust"):
        assert abs(np.mean(found[name])) <= 0.01, name
    assert errors["doubly_robust"] <= errors["importance_sampling"] <= 0.035
    assert errors["direct"] > errors["doubly_robust"]


def test_a_log_in_which_one_decision_outweighs_hundreds_is_refused(digits):
    """One digit in twenty was tried with probability 0.02 only: one or two such draws decide."""
    refused = [judge(drawn(digits, seed, with_model=False)).refusals for seed in range(20)]

    assert sum(bool(why) for why in refused) >= 18


@pytest.mark.parametrize("campaign", ["men", "all"])
def test_intervals_on_the_open_bandit_log_cover_what_the_policy_earned_when_it_ran(
    shared_data, campaign
):
    """The log of a uniformly random policy judges the Thompson sampler that ran beside it."""
    folder = shared_data("open_bandit_sample")
    random, ran = (
        pd.read_parquet(folder / f"{name}_{campaign}.parquet") for name in ("random", "bts")
    )
    items = int(max(random["item_id"].max(), ran["item_id"].max())) + 1
    chances = np.zeros((4, items))
    # The sampler knows no customer: its mean propensity by place and item is its distribution.
    np.add.at(chances, (ran["position"], ran["item_id"]), 1.0)
    chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1)
    target = chances[random["position"].to_numpy()]
    model = cross_fitted(
        random.filter(like="affinity").to_numpy(),
        random["item_id"],
        random["click"],
        items,
        seed=1,
        ridge=200.0,
    )

    log = logged(random["item_id"], random["click"], random["propensity_score"], target, model)

    earned = ran["click"].mean()
    for name, estimator in ESTIMATORS.items():
        value = estimator(log)
        assert value.low <= earned <= value.high, name
    if campaign == "men":
        assert (random["click"].mean(), earned) == (0.0046, 0.0069)
        found = [ESTIMATORS[name](log).value for name in ("importance_sampling", "self_normalised")]
        assert found == pytest.approx([0.00566, 0.00574], abs=5e-6)


def world(decisions, seed, *, hidden=False):
    """Three arms whose rewards depend on one feature; the log follows a soft policy."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, decisions)
    means = np.stack([0.2 + 0 * x, 0.3 + 0.2 * x, 0.3 - 0.2 * x], axis=1)
    behave = np.stack(
        [np.full(decisions, 0.5), 0.25 + 0.1 * np.tanh(x), 0.25 - 0.1 * np.tanh(x)], 1
    )
    arm = (rng.random((decisions, 1)) > behave.cumsum(axis=1)).sum(axis=1)
    noise = rng.normal(0, 0.3, decisions)
    reward = means[np.arange(decisions), arm] + noise
    target = np.zeros_like(means)
    target[np.arange(decisions), means.argmax(axis=1)] = 1.0
    propensity = behave[np.arange(decisions), arm]
    if hidden:
        propensity = np.full(decisions, 1 / 3)
    truth = means.max(axis=1).mean()
    model = cross_fitted(x[:, None], arm, reward, 3, seed=seed)
    return logged(arm, reward, propensity, target, model), truth


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_intervals_cover_the_truth_as_often_as_they_say(name):
    covered = 0
    for seed in range(300):
        log, truth = world(600, seed)
        value = ESTIMATORS[name](log)
        covered += value.low <= truth <= value.high

    assert covered / 300 >= 0.915


def test_a_log_that_cannot_tell_is_refused_and_shows_no_value():
    log, _ = world(150, 1)
    few = judge(log)
    never_tried = judge(
        logged(np.zeros(2000, int), np.ones(2000), np.ones(2000), np.tile([0.5, 0.5], (2000, 1)))
    )

    assert "effective" in few.refusals[0] and not few.values
    assert "never tried" in never_tried.refusals[-1] and not never_tried.is_better()


def test_propensities_that_are_not_those_of_the_draw_are_noticed():
    log, _ = world(20_000, 2, hidden=True)

    assert any("propensities are wrong" in why for why in judge(log).refusals)
    assert not judge(world(20_000, 2)[0]).refusals


def test_a_better_policy_passes_and_an_equal_one_does_not():
    log, _ = world(4000, 3)
    same = logged(
        log.arm, log.reward, log.propensity, np.tile([0.5, 0.25, 0.25], (4000, 1)), log.predicted
    )

    assert judge(log).is_better()
    assert not judge(same).is_better()


@pytest.mark.parametrize(
    ("parts", "hint"),
    [
        (([0], [1.0], [0.0], [[1.0]]), "must be above 0"),
        (([0], [1.0], [0.5], [[0.7, 0.7]]), "sum to 1"),
        (([2], [1.0], [0.5], [[0.5, 0.5]]), "must be 0 to 1"),
        (([0, 1], [1.0], [0.5], [[0.5, 0.5]]), "one of each per decision"),
        (([0], [float("nan")], [0.5], [[0.5, 0.5]]), "nan"),
        (([], [], [], np.zeros((0, 2))), "empty"),
    ],
)
def test_a_log_that_makes_no_sense_says_why(parts, hint):
    with pytest.raises(InputError, match=hint):
        logged(*parts)
