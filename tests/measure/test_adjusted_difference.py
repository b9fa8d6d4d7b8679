"""The adjusted difference, against published figures, known truth and its own promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr, stdtrit

from regulars.measure.effects import adjusted_difference, minimum_detectable

A, B = 3.9**2 / 3407, 6.2**2 / 3461
WELCH_DF = (A + B) ** 2 / (A**2 / 3406 + B**2 / 3460)
WELCH_T = stdtrit(WELCH_DF, 0.975)


def with_moments(mean, sd, size, seed):
    """Numbers with exactly this mean and standard deviation."""
    drawn = np.random.default_rng(seed).standard_normal(size)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return mean + sd * drawn, drawn


def correlated(mean, sd, with_drawn, rho, seed):
    """Numbers with exactly this mean, standard deviation and correlation."""
    own = np.random.default_rng(seed).standard_normal(len(with_drawn))
    own -= own.mean()
    own -= with_drawn * (own @ with_drawn) / (with_drawn @ with_drawn)
    own /= own.std(ddof=1)
    return mean + sd * (rho * with_drawn + np.sqrt(1 - rho**2) * own)


@pytest.fixture
def published():
    """Two groups of the GrowthBook test suite: .41 (3.9, n 3407) and .70 (6.2, n 3461)."""
    a, drawn_a = with_moments(0.41, 3.9, 3407, 1)
    b, drawn_b = with_moments(0.70, 6.2, 3461, 2)
    before = np.concatenate([
        correlated(0.40, 3.5, drawn_a, 0.7, 3),
        correlated(0.41, 3.6, drawn_b, 0.7, 4),
    ])
    return np.concatenate([a, b])[:, None], np.arange(6868) >= 3407, before[:, None]


def test_without_covariates_the_published_two_sided_t_test_is_met(published):
    outcome, is_treated, _ = published

    found = adjusted_difference(outcome, is_treated, np.empty((6868, 0)))

    estimate, error = found.estimate[0], found.standard_error[0]
    assert estimate == pytest.approx(0.29, abs=1e-9)
    assert estimate - WELCH_T * error == pytest.approx(0.04538, abs=5e-6)
    assert estimate + WELCH_T * error == pytest.approx(0.53462, abs=5e-6)
    assert 2 * stdtr(WELCH_DF, -estimate / error) == pytest.approx(0.02016, abs=5e-6)


def test_with_one_covariate_the_published_cuped_figures_are_met(published):
    found = adjusted_difference(*published)

    estimate, error = found.estimate[0], found.standard_error[0]
    assert estimate == pytest.approx(0.27999502, abs=1e-6)
    assert estimate - 1.95996 * error == pytest.approx(0.10168313, abs=1e-4)
    assert estimate + 1.95996 * error == pytest.approx(0.45830692, abs=1e-4)


def test_the_effect_and_its_error_are_those_of_known_truth():
    estimates, errors = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        before = random.gamma(1, 10, (400, 2))
        is_treated = random.random(400) < 0.8
        noise = random.standard_normal(400) * np.where(is_treated, 6, 3)
        after = before @ [1.0, -0.5] + 2.0 * is_treated + noise
        found = adjusted_difference(after[:, None], is_treated, before)
        estimates.append(found.estimate[0])
        errors.append(found.standard_error[0])

    assert np.mean(estimates) == pytest.approx(2.0, abs=0.1)
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.12)


@given(
    shift=st.floats(-1e3, 1e3),
    scale=st.floats(0.01, 1e3),
    seed=st.integers(0, 10**6),
)
def test_units_move_the_answer_and_nothing_else(shift, scale, seed):
    random = np.random.default_rng(seed)
    outcome, before = random.standard_normal((60, 1)), random.standard_normal((60, 3))
    is_treated = np.arange(60) % 3 > 0

    plain = adjusted_difference(outcome, is_treated, before)
    moved = adjusted_difference(scale * outcome + shift, is_treated, before * 7 + shift)

    assert moved.estimate == pytest.approx(scale * plain.estimate, rel=1e-6, abs=1e-9 * scale)
    assert moved.standard_error == pytest.approx(scale * plain.standard_error, rel=1e-6)


def test_constant_and_repeated_covariates_change_nothing():
    random = np.random.default_rng(5)
    outcome, before = random.standard_normal((80, 2)), random.standard_normal((80, 1))
    is_treated = np.arange(80) % 4 > 0

    plain = adjusted_difference(outcome, is_treated, before)
    more = np.column_stack([before, before * 3, np.ones(80), np.zeros(80)])
    found = adjusted_difference(outcome, is_treated, more)

    assert found.estimate == pytest.approx(plain.estimate, rel=1e-9)
    assert found.standard_error == pytest.approx(plain.standard_error, rel=1e-9)


def test_a_customer_whom_the_covariates_single_out_carries_no_weight():
    random = np.random.default_rng(6)
    outcome, is_treated = random.standard_normal((80, 1)), np.arange(80) % 4 > 0
    alone = (np.arange(80) == 0).astype(float)[:, None]
    outcome[0] = 1e6

    found = adjusted_difference(outcome, is_treated, alone)

    without = adjusted_difference(outcome[1:], is_treated[1:], np.empty((79, 0)))
    assert found.estimate == pytest.approx(without.estimate, rel=1e-6)
    assert found.standard_error == pytest.approx(without.standard_error, rel=1e-2)


def test_the_smallest_effect_is_found_in_four_of_five_experiments():
    error = 3.0
    mde = minimum_detectable(error, level=0.9)
    seen = mde + error * np.random.default_rng(8).standard_normal(20_000)

    found = np.mean(seen > 1.6449 * error)

    assert found == pytest.approx(0.8, abs=0.01)
    assert mde / error == pytest.approx(2.49, abs=0.005)
