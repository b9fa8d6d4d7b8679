"""Long-term effect of a promotion: known truth, coverage, planted mistakes."""

import numpy as np
import pytest

from regulars.errors import InputError, NotReady
from regulars.measure.long_term import long_term_effect, residual_draws
from regulars.understand.value import GammaGamma, buyers, fit_bg_nbd

BEFORE, DURING, NEAR, LATE, BEYOND = 40.0, 4.0, 6.0, 12.0, 40.0
ENDS = np.cumsum([BEFORE, DURING, NEAR, LATE, BEYOND])


def world(seed, customers, *, lift=0.6, borrowed=0.5, stays=0.3):
    """Customers of BG/NBD, half given a promotion of four weeks.

    It raises the rate of ordering, borrows a part of the extra orders from the six weeks after,
    and lets fewer leave after an order made while it runs. Gives who was treated, orders by
    window, and what a model knows of everybody at the end of the late weeks.
    """
    draw = np.random.default_rng(seed)
    on = draw.random(customers) < 0.5
    rate, leave = draw.gamma(1.2, 1 / 8, customers), draw.beta(0.8, 4.0, customers)
    windows, extra = np.zeros((customers, 4)), np.zeros(customers)
    x, t_x, now = np.zeros((3, customers))
    active = np.arange(customers)
    while active.size:
        inside = (now[active] >= ENDS[0]) & (now[active] < ENDS[1]) & on[active]
        step = draw.exponential(1 / np.maximum(rate[active] * (1 + lift * inside), 1e-12))
        # A promotion that begins or ends in between changes the rate from then on.
        edge = np.where(now[active] < ENDS[0], ENDS[0], np.where(inside, ENDS[1], np.inf))
        edge = np.where(on[active], edge, np.inf)
        cut = now[active] + step > edge
        now[active] = np.where(cut, edge, now[active] + step)
        active, cut = active[now[active] < ENDS[4]], cut[now[active] < ENDS[4]]
        ordering = active[~cut]
        place = np.searchsorted(ENDS, now[ordering], side="right") - 1
        own = on[ordering] & (place == 0)
        extra[ordering[own]] += draw.random(own.sum()) < borrowed * lift / (1 + lift)
        skipped = (place == 1) & (extra[ordering] > 0)
        extra[ordering[skipped]] -= 1
        real = ordering[~skipped & (place >= 0)]
        windows[real, place[~skipped & (place >= 0)]] += 1
        seen = ordering[~skipped & (now[ordering] < ENDS[3])]
        x[seen] += 1
        t_x[seen] = now[seen]
        goes = leave[ordering] * np.where(own, stays, 1.0)
        gone = ordering[~skipped & (draw.random(ordering.size) < goes)]
        active = np.setdiff1d(active, gone, assume_unique=True)
    return on, windows * 10.0, buyers(x, t_x, np.full(customers, ENDS[3]), np.full(customers, 10.0))


def told(seed, customers=6000, **changed):
    on, money, known = world(seed, customers, **changed)
    untouched = buyers(known.x[~on], known.t_x[~on], known.T[~on], known.mean_spend[~on])
    model = fit_bg_nbd(untouched.histories())
    flat = GammaGamma(1e6, 1e6, 10.0, 0.0, 1)  # every order is worth 10
    ahead = residual_draws(model, flat, untouched, horizon=BEYOND, seed=seed)
    return long_term_effect(on, *money.T[:3], beyond=ahead, cost=0.5, seed=seed)


@pytest.fixture(scope="module")
def truth():
    """The effect over all windows, on so many customers that chance hardly counts."""
    on, money, _ = world(99, 1_000_000)
    return money[on].mean(axis=0) - money[~on].mean(axis=0)


def test_the_parts_are_told_apart(truth):
    found = told(1, 40_000)

    assert found.during.low <= truth[0] <= found.during.high
    assert found.pulled_forward.low <= truth[1] <= found.pulled_forward.high
    assert found.pulled_forward.high < 0
    assert found.total.low <= truth.sum() - 0.5 <= found.total.high
    assert found.churn_shift.value > 0


def coverage(truth, seeds):
    found = [told(seed, 12_000) for seed in seeds]
    held = np.mean([one.total.low <= truth.sum() - 0.5 <= one.total.high for one in found])
    return float(held), float(np.mean([one.total.value for one in found]))


def test_intervals_hold_the_truth_as_often_as_they_say(truth):
    held, mean = coverage(truth, range(10))

    assert held >= 0.7
    assert mean == pytest.approx(truth.sum() - 0.5, abs=1.2)


def prove():
    """200 promotions of known truth."""
    on, money, _ = world(99, 2_000_000)
    truth = money[on].mean(axis=0) - money[~on].mean(axis=0)
    held, mean = coverage(truth, range(200))
    assert 0.86 <= held <= 0.95, held
    said = f"mean {mean:.3f}, truth {truth.sum() - 0.5:.3f} per treated customer"
    return f"200 promotions: intervals of .90 hold the truth in {held:.3f}; {said}"


def test_reading_the_window_alone_would_promise_too_much():
    """The planted mistake: what was borrowed from the weeks after counts as won."""
    found = told(3, 40_000, stays=1.0)

    assert found.pulled_forward.high < 0
    assert found.total.value < found.during.value - 0.3


def test_a_promotion_that_does_nothing_is_not_claimed_to_pay():
    claims = [told(seed, 2500, lift=0.0, stays=1.0).total.low > -0.5 for seed in range(12)]

    assert np.mean(claims) <= 0.17


def test_the_chart_has_one_row_per_part():
    assert "long run" in str(told(2, 4000).plot())


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (([1, 0], [1.0], [1.0], [1.0]), InputError, "one of each per customer"),
        (([1, 1], [1.0, 1], [1.0, 1], [1.0, 1]), InputError, "same for everybody"),
        (([1, 0], [1.0, np.nan], [1.0, 1], [1.0, 1]), InputError, "0 for who bought nothing"),
        (([1, 0], [1.0, 1], [1.0, 1], [1.0, 1]), NotReady, "wait some weeks"),
    ],
)
def test_what_cannot_be_told_says_why(arguments, error, hint):
    with pytest.raises(error, match=hint):
        long_term_effect(*arguments)
