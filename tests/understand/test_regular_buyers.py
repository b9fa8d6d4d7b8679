"""MBG/CNBD-k: the published grocer, known truth, and where it meets the MBG/NBD."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regulars.errors import InputError
from regulars.understand.value import (
    MBGCNBD,
    MBGNBD,
    fit_mbg_cnbd,
    fit_mbg_nbd,
    group_histories,
    log_gaps_of,
    parameter_draws,
    standard_errors,
)

LOG_GAPS = 5539.048349633353
"""Of the grocer's orders up to 2006, in weeks; the model reads nothing else of their order."""


@pytest.fixture(scope="module")
def grocery():
    """1,525 customers of a grocer in 2006, and their orders of 2007, in sufficient statistics."""
    return pd.read_csv(Path(__file__).parent / "grocery_histories.csv")


def columns_of(rows):
    return (
        rows.x.to_numpy(float),
        rows.t_x_days.to_numpy(float) / 7,
        rows.T_days.to_numpy(float) / 7,
    )


@pytest.fixture(scope="module")
def histories(grocery):
    return group_histories(*columns_of(grocery), grocery.customers)


@pytest.fixture(scope="module")
def fitted(histories):
    return fit_mbg_cnbd(histories, log_gaps=LOG_GAPS)


def drawn(seed, customers, model):
    """Orders drawn from the model itself: histories, log of gaps, and orders of the weeks after."""
    draw = np.random.default_rng(seed)
    T = draw.uniform(20.0, 80.0, customers)
    rate = draw.gamma(model.r, 1 / model.alpha, customers)
    leave = draw.beta(model.a, model.b, customers)
    x, t_x, now, later = np.zeros((4, customers))
    active, log_gaps = np.flatnonzero(draw.random(customers) > leave), 0.0
    while active.size:
        gap = draw.gamma(model.k, 1 / rate[active])
        now[active] += gap
        seen = now[active] <= T[active]
        log_gaps += np.log(gap[seen]).sum()
        x[active[seen]] += 1
        t_x[active[seen]] = now[active[seen]]
        later[active[~seen & (now[active] <= T[active] + 26)]] += 1
        active = active[
            (now[active] <= T[active] + 26) & (draw.random(active.size) > leave[active])
        ]
    return (x, t_x, T), log_gaps, later


def test_the_grocer_gives_the_published_parameters_and_k(fitted):
    """BTYDplus, HowTo."""
    assert fitted.k == 2
    assert [fitted.r, fitted.alpha, fitted.a, fitted.b] == pytest.approx(
        [1.329, 2.813, 0.425, 0.790], abs=5e-4
    )
    assert fitted.log_likelihood == pytest.approx(-14978, abs=0.5)


def test_the_published_total_of_the_grocer_is_that_of_customers_not_looked_at(grocery, fitted):
    """3,970 of BTYDplus is what such customers bring whatever they did; given it they bring less."""
    by_length = grocery.groupby("T_days").customers.sum()
    of_new = fitted.expected_orders_of_new
    published = sum(
        (of_new(days / 7 + 52) - of_new(days / 7)) * count for days, count in by_length.items()
    )
    expected = fitted.expected_orders(*columns_of(grocery), 52)

    assert published == pytest.approx(3970, abs=0.5)
    # Their rescaled approximation, 1.431, and ours, which is exact
    near = MBGNBD(fitted.r, 2 * fitted.alpha, fitted.a, fitted.b, 0.0, 1)
    x, t_x, T = columns_of(grocery)
    rescaled = near.expected_orders(x, t_x, T, 52) / near.p_alive(x, t_x, T)
    rescaled *= fitted.p_alive(x, t_x, T)
    rescaled *= published / (rescaled * grocery.customers).sum()
    error = [
        (np.abs(each - grocery.later) * grocery.customers).sum() / 1525
        for each in (rescaled, expected)
    ]
    assert error == pytest.approx([1.431, 1.400], abs=5e-4)
    assert (expected * grocery.customers).sum() == pytest.approx(3812, abs=1)


def test_orders_by_chance_are_the_mbg_nbd(histories, grocery):
    plain, chance = fit_mbg_nbd(histories), fit_mbg_cnbd(histories, log_gaps=LOG_GAPS, k=1)
    columns = columns_of(grocery)

    assert [getattr(chance, name) for name in chance.NAMES] == pytest.approx(
        [getattr(plain, name) for name in plain.NAMES], rel=1e-5
    )
    assert chance.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    same = MBGCNBD(plain.r, plain.alpha, plain.a, plain.b, 0.0, 1)
    assert same.p_alive(*columns) == pytest.approx(plain.p_alive(*columns))
    assert same.expected_orders(*columns, 52) == pytest.approx(
        plain.expected_orders(*columns, 52), abs=1e-8
    )


def test_a_simulated_cohort_gives_back_k_its_parameters_and_the_weeks_after():
    truth = MBGCNBD(0.85, 1.45, 0.79, 2.42, 0.0, 1, k=3)
    columns, log_gaps, later = drawn(1, 5000, truth)

    found = fit_mbg_cnbd(group_histories(*columns), log_gaps=log_gaps)

    assert found.k == 3
    assert [found.r, found.alpha] == pytest.approx([0.85, 1.45], rel=0.12)
    assert found.a / (found.a + found.b) == pytest.approx(0.79 / 3.21, rel=0.08)
    missed = later - truth.expected_orders(*columns, 26)
    for low, high in ((0, 1000), (0, 0), (1, 3), (4, 12), (13, 1000)):
        own = missed[(columns[0] >= low) & (columns[0] <= high)]
        assert abs(own.sum()) < 3 * np.sqrt((own**2).sum())


def test_silence_says_more_of_a_regular_buyer():
    who = np.array([6.0]), np.array([20.0]), np.array([32.0])
    chance, regular = MBGCNBD(1.0, 4.0, 0.5, 2.0, 0, 1), MBGCNBD(1.0, 1.0, 0.5, 2.0, 0, 1, k=4)

    assert regular.p_alive(*who)[0] < chance.p_alive(*who)[0] / 2
    assert regular.p_alive(who[0], who[1], who[1])[0] > 0.75


def test_drawn_orders_come_as_often_as_expected(fitted):
    rng = np.random.default_rng(3)
    for x, t_x in ((5.0, 49.0), (1.0, 20.0)):
        who = tuple(np.repeat([value], 60_000) for value in (x, t_x, 52.0))
        expected = fitted.expected_orders(*(part[:1] for part in who), 40.0)[0]
        ordered = fitted.draw_orders(*who, 40.0, rng=rng)
        assert ordered.mean() == pytest.approx(expected, rel=0.03)


def test_the_gradient_is_that_of_the_likelihood(fitted, histories):
    loss = fitted.likelihood(histories, 40.0)
    at = np.array([0.6, 0.5, 0.7, 0.9])

    numeric = [(loss(at + step)[0] - loss(at - step)[0]) / 2e-6 for step in np.eye(4) * 1e-6]

    assert loss(at)[1] == pytest.approx(numeric, abs=5e-7)


def test_parameters_are_drawn_as_widely_as_their_errors_say(fitted, histories):
    drawn_ones = parameter_draws(fitted, histories, draws=400, rng=np.random.default_rng(1))

    error = standard_errors(fitted, histories)["r"]
    assert np.std([one.r for one in drawn_ones]) == pytest.approx(error, rel=0.12)
    assert {one.k for one in drawn_ones} == {2}


def test_gaps_are_those_between_a_customers_own_orders_in_any_order_of_rows():
    assert log_gaps_of(["b", "a", "b", "a"], [9.0, 1.0, 4.0, 3.0]) == pytest.approx(np.log(10.0))
    assert log_gaps_of([], []) == 0.0
    with pytest.raises(InputError, match="1 or more"):
        fit_mbg_cnbd(group_histories([1.0], [1.0], [2.0]), log_gaps=0.0, k=0)
