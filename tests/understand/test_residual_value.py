"""Residual value with intervals: known truth, properties, planted mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from regulars.errors import InputError
from regulars.understand.value import (
    buyers,
    fit_bg_nbd,
    fit_gamma_gamma,
    residual_value,
)

AHEAD = 26.0


def world(seed, customers=1200):
    """Customers drawn from BG/NBD and Gamma-Gamma, and what they spend in the 26 weeks after."""
    draw = np.random.default_rng(seed)
    rate, leave = draw.gamma(0.8, 1 / 6, customers), draw.beta(0.9, 3.0, customers)
    T = draw.uniform(26.0, 52.0, customers)
    x, t_x, later, now = np.zeros((4, customers))
    active = np.arange(customers)
    while active.size:
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-12))
        active = active[now[active] <= T[active] + AHEAD]
        before = active[now[active] <= T[active]]
        x[before] += 1
        t_x[before] = now[before]
        later[active[now[active] > T[active]]] += 1
        active = active[draw.random(active.size) > leave[active]]
    scale = draw.gamma(4.0, 1 / 15.0, customers)
    mean = draw.gamma(6.0 * np.maximum(x, 1)) / scale / np.maximum(x, 1)
    spent = np.where(later > 0, draw.gamma(6.0 * np.maximum(later, 1)) / scale, 0.0)
    return buyers(x, t_x, T, np.where(x > 0, mean, 0.0)), spent


def valued(seed, **changed):
    known, spent = world(seed)
    models = fit_bg_nbd(known.histories()), fit_gamma_gamma(known.x, known.mean_spend)
    return residual_value(*models, known, horizon=AHEAD, seed=seed, **changed), spent


def cover(seeds):
    """How often the interval of the total, and of a customer, holds what came."""
    totals, each = [], []
    for seed in seeds:
        found, spent = valued(seed, draws=60)
        totals.append(found.total_low <= spent.sum() <= found.total_high)
        each.append(np.mean((found.low <= spent) & (spent <= found.high)))
    return np.mean(totals), np.mean(each)


def test_intervals_hold_what_came_as_often_as_they_say():
    totals, each = cover(range(12))

    assert totals >= 0.75
    assert each == pytest.approx(0.93, abs=0.03)


def prove():
    """300 shops with known truth."""
    totals, each = cover(range(300))
    assert 0.86 <= totals <= 0.94
    return f"300 shops: intervals of .90 hold the total in {totals:.3f}, one customer in {each:.3f}"


def test_leaving_out_the_doubt_about_customers_would_be_far_too_sure():
    """The planted mistake: an interval of the mean only."""
    found, spent = valued(4)
    doubt = np.abs(found.expected) * 0.1

    missed = (spent < found.expected - doubt) | (spent > found.expected + doubt)
    assert missed.mean() > 0.8
    assert ((spent < found.low) | (spent > found.high)).mean() < 0.12


def test_what_is_expected_is_the_mean_of_what_may_come():
    found, _ = valued(1, draws=300)

    assert found.total == pytest.approx((found.total_low + found.total_high) / 2, rel=0.05)
    assert found.total == pytest.approx(found.expected.sum())
    assert (found.low <= found.high).all() and (found.low >= 0).all()


def test_margin_scales_everything_and_the_seed_fixes_every_byte():
    known, _ = world(2)
    models = fit_bg_nbd(known.histories()), fit_gamma_gamma(known.x, known.mean_spend)
    options = {"horizon": AHEAD, "draws": 30, "seed": 5}
    whole = residual_value(*models, known, **options)
    third = residual_value(*models, known, margin_rate=0.25, **options)
    again = residual_value(*models, known, **options)

    assert third.total_high == pytest.approx(whole.total_high / 4)
    assert third.expected.tolist() == pytest.approx((whole.expected / 4).tolist())
    assert again.low.tobytes() == whole.low.tobytes()


def test_the_frame_has_one_row_per_customer():
    found, spent = valued(3, draws=20)

    assert list(found.to_frame().columns) == ["expected", "low", "high"]
    assert len(found.to_frame()) == len(spent)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda known: buyers([1], [2], [3], [4, 5]), "one of each per customer"),
        (lambda known: buyers([1], [2], [3], [np.nan]), "mean of the repeat orders"),
        (lambda known: valued(1, draws=5), "20 draws or more"),
    ],
)
def test_what_cannot_be_says_what_is_wrong(call, hint):
    with pytest.raises(InputError, match=hint):
        call(replace(world(1, 50)[0]))
