"""GG/NBD: leaving that grows likelier with time, against integrals and known truth."""

import numpy as np
import pytest
from scipy.integrate import quad

from regulars.understand.value import GGNBD, ParetoNBD, fit_gg_nbd, fit_pareto_nbd, group_histories


def cohort(seed, customers, truth):
    """Histories drawn from the model, and the orders of the 20 weeks after."""
    draw = np.random.default_rng(seed)
    T = draw.uniform(20.0, 100.0, customers)
    rate = draw.gamma(truth.r, 1 / truth.alpha, customers)
    worn = truth.beta * (draw.random(customers) ** (-1 / truth.s) - 1)
    stay = truth.e_fold * np.log1p(worn / truth.e_fold)
    x = draw.poisson(rate * np.minimum(stay, T)).astype(float)
    last = draw.random(customers) ** (1 / np.maximum(x, 1)) * np.minimum(stay, T)
    later = draw.poisson(rate * np.clip(stay - T, 0.0, 20.0))
    return (x, np.where(x > 0, last, 0.0), T), later


TRUTH = GGNBD(1.5, 4.0, 2.0, 400.0, 15.0, 0.0, 1)


def test_a_cohort_that_tires_is_told_from_one_that_does_not():
    columns, later = cohort(2, 1500, TRUTH)
    histories = group_histories(*columns)

    found, plain = fit_gg_nbd(histories), fit_pareto_nbd(histories)

    assert found.log_likelihood > plain.log_likelihood + 3
    assert found.e_fold == pytest.approx(15.0, rel=0.5)
    assert [found.r, found.alpha] == pytest.approx([1.5, 4.0], rel=0.15)
    for model in (TRUTH, found):
        missed = later - model.expected_orders(*columns, 20)
        assert abs(missed.sum()) < 3 * np.sqrt((missed**2).sum())


@pytest.mark.parametrize("x", [0.0, 1.0, 30.0, 500.0])
@pytest.mark.parametrize(
    "shape",
    [
        (0.05, 0.02, 0.05, 30.0, 40.0),
        (0.6, 10.0, 0.6, 12.0, 1000.0),
        (3.0, 30.0, 0.4, 0.003, 20.0),
        (0.8, 0.003, 2.0, 40.0, 500.0),
        (1.0, 5.0, 0.5, 50.0, 3.0),
    ],
)
def test_the_quadrature_meets_the_integral_it_stands_for(x, shape):
    r, alpha, s, beta, e_fold = shape
    t_x, T = (0.0 if x == 0 else 30.0), 50.0

    def part(u):
        fall = -(r + x) * np.log((alpha + u) / (alpha + t_x)) + u / e_fold
        return s * np.exp(fall - (s + 1) * np.log(beta + e_fold * np.expm1(u / e_fold)))

    near = [t_x + step for step in (0.001, 0.01, 0.1, 1, 10)]
    gone, _ = quad(part, t_x, T, limit=800, points=near)
    alive = np.exp(-(r + x) * np.log((alpha + T) / (alpha + t_x)))
    alive *= (beta + e_fold * np.expm1(T / e_fold)) ** -s

    found = GGNBD(*shape, 0.0, 1).p_alive(*(np.array([value]) for value in (x, t_x, T)))

    assert found[0] == pytest.approx(alive / (alive + gone), rel=2e-5, abs=1e-12)


@pytest.mark.parametrize("e_fold", [3.0, 1000.0])
def test_the_gradient_is_that_of_the_likelihood(e_fold):
    columns, _ = cohort(1, 400, TRUTH)
    loss = GGNBD.likelihood(group_histories(*columns), 27.0)
    at = np.array([0.6, 0.5, 0.7, 0.9, e_fold])

    numeric = [
        (loss(at + step)[0] - loss(at - step)[0]) / (2 * step.sum()) for step in np.diag(at * 1e-6)
    ]

    assert loss(at)[1] == pytest.approx(numeric, abs=5e-6, rel=1e-5)


def test_without_growth_it_is_the_pareto_nbd():
    columns, _ = cohort(1, 300, TRUTH)
    tires = GGNBD(0.553, 10.578, 0.606, 11.669, 1e8, 0.0, 1)
    plain = ParetoNBD(0.553, 10.578, 0.606, 11.669, 0.0, 1)

    assert tires.p_alive(*columns) == pytest.approx(plain.p_alive(*columns), rel=1e-5)
    assert tires.expected_orders(*columns, 39) == pytest.approx(
        plain.expected_orders(*columns, 39), rel=1e-5
    )
    assert tires.expected_orders_of_new(52) == pytest.approx(plain.expected_orders_of_new(52))


def test_drawn_orders_come_as_often_as_expected():
    rng = np.random.default_rng(3)
    who = tuple(np.repeat([value], 60_000) for value in (12.0, 45.0, 50.0))

    expected = TRUTH.expected_orders(*(part[:1] for part in who), 30.0)[0]

    assert TRUTH.draw_orders(*who, 30.0, rng=rng).mean() == pytest.approx(expected, rel=0.02)
