"""Covariates of order models: effects drawn are found again, on buying and on leaving apart."""

import numpy as np
import pytest

from regulars.errors import InputError
from regulars.understand.value import (
    BGNBD,
    MBGNBD,
    ParetoNBD,
    fit_pareto_nbd,
    fit_with_covariates,
    group_histories,
)

BUYS, LEAVES = 0.8, -0.7


def drawn(seed, customers, kind):
    """Histories of customers half of whom hold a card, which moves both processes."""
    draw = np.random.default_rng(seed)
    card = draw.integers(0, 2, customers).astype(float)
    region = draw.integers(0, 3, customers).astype(float)
    T = draw.uniform(30.0, 90.0, customers)
    rate = draw.gamma(1.2, 1 / 8.0, customers) * np.exp(BUYS * card)
    if kind is ParetoNBD:
        leaving = draw.gamma(0.9, 1 / 30.0, customers) * np.exp(LEAVES * card)
        stay = np.minimum(draw.exponential(1 / np.maximum(leaving, 1e-12)), T)
        x = draw.poisson(rate * stay).astype(float)
        last = draw.random(customers) ** (1 / np.maximum(x, 1)) * stay
        return (x, np.where(x > 0, last, 0.0), T), card, region
    x, t_x, now = np.zeros((3, customers))
    leave = draw.beta(0.8 * np.exp(LEAVES * card), 2.5)
    active = np.arange(customers)
    if kind is MBGNBD:
        active = active[draw.random(customers) > leave]
    while active.size:
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-12))
        active = active[now[active] <= T[active]]
        x[active] += 1
        t_x[active] = now[active]
        active = active[draw.random(active.size) > leave[active]]
    return (x, t_x, T), card, region


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_effects_on_buying_and_on_leaving_are_told_apart(kind):
    columns, card, region = drawn(4, 9000, kind)
    known = {"card": card, "region": region}

    found = fit_with_covariates(kind, *columns, purchase=known, dropout=known)

    for by_name, name, truth in (
        (found.purchase, "purchase", {"card": BUYS, "region": 0.0}),
        (found.dropout, "dropout", {"card": LEAVES, "region": 0.0}),
    ):
        for covariate, effect in truth.items():
            error = found.standard_errors[f"{name}.{covariate}"]
            assert 0 < error < 0.25
            assert abs(by_name[covariate] - effect) < 3.3 * error


def test_ninety_five_in_a_hundred_intervals_hold_the_effect():
    held = []
    for seed in range(24):
        columns, card, _ = drawn(100 + seed, 1500, BGNBD)
        one = fit_with_covariates(BGNBD, *columns, purchase={"card": card}, dropout={"card": card})
        held += [
            abs(one.purchase["card"] - BUYS) < 1.96 * one.standard_errors["purchase.card"],
            abs(one.dropout["card"] - LEAVES) < 1.96 * one.standard_errors["dropout.card"],
        ]

    assert np.mean(held) >= 0.85


def test_the_model_of_a_kind_expects_what_that_kind_does():
    columns, card, _ = drawn(7, 12_000, ParetoNBD)
    found = fit_with_covariates(
        ParetoNBD, *columns, purchase={"card": card}, dropout={"card": card}
    )

    plain = fit_pareto_nbd(group_histories(*columns))
    for holds in (0.0, 1.0):
        model = found.of({"card": holds})
        ordered, lengths = columns[0][card == holds].mean(), columns[2][card == holds]
        expected = np.mean([model.expected_orders_of_new(t) for t in lengths[:400]])
        assert expected == pytest.approx(ordered, rel=0.08)
    assert found.base.log_likelihood > plain.log_likelihood + 100


def test_without_covariates_it_is_the_plain_fit():
    columns, _, _ = drawn(2, 2000, ParetoNBD)

    found = fit_with_covariates(ParetoNBD, *columns, purchase={}, dropout={}).base

    plain = fit_pareto_nbd(group_histories(*columns))
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-3)
    assert [found.r, found.s] == pytest.approx([plain.r, plain.s], rel=1e-3)


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ([0.0, 1.0], "one finite number per customer"),
        (np.r_[np.nan, np.ones(599)], "one finite number per customer"),
        (np.ones(600), "the same|for everybody"),
        (np.arange(600.0), "put numbers"),
    ],
    ids=["too few", "nan", "constant", "too many kinds"],
)
def test_covariates_that_make_no_sense_are_refused(values, hint):
    columns, _, _ = drawn(2, 600, ParetoNBD)

    with pytest.raises(InputError, match=hint):
        fit_with_covariates(ParetoNBD, *columns, purchase={"age": values}, dropout={})
    with pytest.raises(InputError, match="no covariate of this model"):
        fit_with_covariates(ParetoNBD, *columns, purchase={}, dropout={}).of({"age": 1.0})
