from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pytest

from regulars.errors import InputError, NotReady
from regulars.understand.value.models.orders.bg_nbd import BGNBD, fit_bg_nbd, group_histories

PUBLISHED = BGNBD(0.2425945, 4.4136019, 0.7929199, 2.4258881, -9582.429, 2357)


@pytest.fixture(scope="module")
def cdnow():
    folder = Path(lifetimes.__file__).parent / "datasets"
    return pd.read_csv(folder / "cdnow_customers_summary.csv")


def simulate(seed, *, customers, r, alpha, a, b, weeks=(5.0, 60.0)):
    """Draw histories from the model itself."""
    draw = np.random.default_rng(seed)
    rate, leave = draw.gamma(r, 1 / alpha, customers), draw.beta(a, b, customers)
    T = draw.uniform(*weeks, customers)
    x, t_x, now = np.zeros((3, customers))
    active = np.arange(customers)
    while active.size:
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-12))
        active = active[now[active] <= T[active]]
        x[active] += 1
        t_x[active] = now[active]
        active = active[draw.random(active.size) > leave[active]]
    return x, t_x, T


def test_expectations_match_the_published_ones():
    buyer = np.array([26.0]), np.array([30.85714]), np.array([31.0])
    other = np.array([2.0]), np.array([30.43]), np.array([38.86])

    # BTYD walkthrough, customer 1516; lifetimes tests
    assert PUBLISHED.expected_orders_of_new(52) == pytest.approx(1.444004, abs=1e-5)
    assert PUBLISHED.expected_orders(*buyer, 52)[0] == pytest.approx(25.75659, rel=5e-5)
    assert PUBLISHED.p_alive(*buyer)[0] == pytest.approx(0.9688523, abs=1e-5)
    assert PUBLISHED.expected_orders(*other, 39)[0] == pytest.approx(1.226, abs=1e-3)


def test_nobody_has_left_before_a_second_order():
    once = np.zeros(2), np.zeros(2), np.array([1.0, 500.0])

    assert PUBLISHED.p_alive(*once).tolist() == [1.0, 1.0]


def test_silence_lowers_p_alive_and_orders():
    x, t_x = np.full(3, 8.0), np.full(3, 20.0)
    T = np.array([21.0, 40.0, 80.0])

    assert (np.diff(PUBLISHED.p_alive(x, t_x, T)) < 0).all()
    assert (np.diff(PUBLISHED.expected_orders(x, t_x, T, 13)) < 0).all()


def test_the_gradient_is_that_of_the_likelihood(cdnow):
    histories = group_histories(cdnow.frequency, cdnow.recency, cdnow["T"])
    loss = BGNBD.likelihood(histories, 27.0)
    at = np.array([0.3, 0.5, 0.7, 2.0])

    numeric = [(loss(at + step)[0] - loss(at - step)[0]) / 2e-6 for step in np.eye(4) * 1e-6]

    assert loss(at)[1] == pytest.approx(numeric, abs=1e-7)


@pytest.mark.parametrize("seed", range(25))
def test_random_cohorts_converge_no_worse_than_the_truth(seed):
    draw = np.random.default_rng(1000 + seed)
    low, high = [0.05, 0.1, 0.05, 0.2], [5.0, 50.0, 5.0, 20.0]
    r, alpha, a, b = np.exp(draw.uniform(np.log(low), np.log(high)))
    customers = int(np.exp(draw.uniform(np.log(200), np.log(3000))))
    x, t_x, T = simulate(seed, customers=customers, r=r, alpha=alpha, a=a, b=b)
    histories = group_histories(x, t_x, T)

    found = fit_bg_nbd(histories)

    truth = likelihood(BGNBD(r, alpha, a, b, 0, 0), histories)
    assert found.log_likelihood == pytest.approx(likelihood(found, histories), rel=1e-8)
    assert found.log_likelihood >= truth
    expected = found.expected_orders(x, t_x, T, 13)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()


def likelihood(model, histories):
    """Equation 6 of the paper, as written there."""
    from scipy.special import betaln, gammaln  # noqa: PLC0415

    x, t_x, T = histories.x, histories.t_x, histories.T
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    start = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + T)
    with np.errstate(divide="ignore"):
        gone = np.log(x > 0) + betaln(a + 1, b + np.maximum(x, 1) - 1)
    gone = gone - (r + x) * np.log(alpha + t_x)
    return float((histories.weights * (start + np.logaddexp(alive, gone))).sum())


def test_a_large_cohort_gives_the_parameters_it_was_drawn_from():
    x, t_x, T = simulate(3, customers=60_000, r=0.8, alpha=6.0, a=0.9, b=3.0)

    found = fit_bg_nbd(group_histories(x, t_x, T))

    assert found.r == pytest.approx(0.8, rel=0.05)
    assert found.alpha == pytest.approx(6.0, rel=0.06)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.9, rel=0.06)


def test_a_cohort_nobody_leaves_says_which_parameter_is_open():
    draw = np.random.default_rng(5)
    x = draw.poisson(20, 300).astype(float)
    T = np.full(300, 52.0)

    found = fit_bg_nbd(group_histories(x, np.where(x > 0, 51.9, 0.0), T))

    assert "a at its least" in found.note
    assert found.p_alive(x, np.full(300, 51.9), T).min() > 0.99


@pytest.mark.parametrize(
    ("history", "hint"),
    [
        (([], [], []), "import orders first"),
        (([1.0], [9.0], [5.0]), "t_x 9, T 5"),
        (([0.0], [1.0], [5.0]), "count repeat orders only"),
    ],
    ids=["nobody", "last order after now", "no repeat but a gap"],
)
def test_an_impossible_history_says_what_is_wrong(history, hint):
    with pytest.raises(InputError, match=hint):
        group_histories(*(np.array(part) for part in history))


def test_too_few_repeaters_say_so():
    with pytest.raises(NotReady, match="longer history"):
        fit_bg_nbd(group_histories(np.zeros(50), np.zeros(50), np.full(50, 9.0)))
