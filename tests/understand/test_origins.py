"""Earlier days of a shop's own history say how far off a model may be as a whole."""

import numpy as np
import pytest

from regulars.errors import InputError, NotReady
from regulars.understand.value import (
    buyers,
    fit_bg_nbd,
    fit_gamma_gamma,
    group_histories,
    residual_value,
    try_origins,
)
from regulars.understand.value.season import CALM

NOW, DAYS = 363, 728


def shop(seed, *, shocks=(), customers=1500):
    """Buyers of a BG/NBD joining within 90 days; orders of days in a shock are lost."""
    draw = np.random.default_rng(seed)
    rate, leave = draw.gamma(1.2, 1 / 70.0, customers), draw.beta(1.5, 9.0, customers)
    now = draw.integers(0, 90, customers).astype(float)
    active, who, when = np.arange(customers), [np.arange(customers)], [now.copy()]
    while active.size:
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-9))
        active = active[now[active] < DAYS]
        who.append(active)
        when.append(now[active].copy())
        active = active[draw.random(active.size) > leave[active]]
    customer, day = np.concatenate(who), np.floor(np.concatenate(when)).astype(int)
    first = np.arange(day.size) < customers
    lost = np.zeros(day.size, bool)
    for start, end in shocks:
        lost |= ~first & (day >= start) & (day < end) & (draw.random(day.size) < 0.7)
    return customer[~lost], day[~lost]


def ahead(customer, day):
    """Value of the days after NOW where each order brings about 10, and what they brought."""
    x, t_x, T = CALM.rhythm(customer, day, as_of=NOW)
    spent = np.random.default_rng(1).gamma(5.0, 2.0, x.size)
    known = buyers(x, t_x, T, spent)
    models = fit_bg_nbd(known.histories()), fit_gamma_gamma(x, spent)
    found = residual_value(*models, known, horizon=float(DAYS - 1 - NOW), draws=60)
    came = np.unique(np.stack([customer, day]), axis=1)
    return found, 10.0 * float((came[1] > NOW).sum())


def test_a_shop_that_is_as_the_model_says_is_hardly_spread():
    spreads = [try_origins(fit_bg_nbd, *shop(seed), as_of=NOW).spread for seed in range(3)]

    assert np.mean(spreads) < 0.04
    assert min(spreads) == 0.0


def test_a_shop_of_ups_and_downs_is_spread_and_the_total_then_held():
    """No model of orders knows that orders fail for weeks; earlier days show that they may."""
    orders = shop(0, shocks=[(150, 210), (280, 330), (380, 700)])
    origins = try_origins(fit_bg_nbd, *orders, as_of=NOW)
    found, came = ahead(*orders)

    wide = found.widened(origins.spread)

    assert origins.spread > 0.15
    assert not found.total_low <= came <= found.total_high
    assert wide.total_low <= came <= wide.total_high
    assert wide.total == found.total
    assert wide.low is found.low


def test_nothing_later_than_now_is_read():
    customer, day = shop(1)
    seen = day <= NOW

    whole = try_origins(fit_bg_nbd, customer, day, as_of=NOW)
    cut = try_origins(fit_bg_nbd, customer[seen], day[seen], as_of=NOW)

    assert whole == cut
    assert [row.day.astype(int) for row in whole.rows] == [119, 145, 181, 217, 254, 290, 326]


def test_a_day_counts_those_known_by_then_and_only_their_later_orders():
    customer, day = shop(2)
    row = try_origins(fit_bg_nbd, customer, day, as_of=NOW).rows[0]
    pairs = np.unique(np.stack([customer, day]), axis=1)
    known = np.unique(customer[day <= 119])
    later = pairs[0][(pairs[1] > 119) & (pairs[1] <= NOW) & np.isin(pairs[0], known)]

    columns = CALM.rhythm(customer, day, as_of=119)
    expected = fit_bg_nbd(group_histories(*columns)).expected_orders(*columns, NOW - 119.0)
    came = (later[:, None] == known).sum(axis=0)

    assert row.actual == later.size
    assert row.expected == pytest.approx(expected.sum())
    # Parameters are unsure as well: luck alone would be less.
    assert row.noise > 1.2 * np.sqrt(((came - expected) ** 2).sum()) / expected.sum()


def test_the_chart_shows_each_day():
    origins = try_origins(fit_bg_nbd, *shop(1), as_of=NOW)

    said, came = (series["data"] for series in origins.plot()["series"])

    assert came == [row.actual for row in origins.rows]
    assert said == pytest.approx([row.expected for row in origins.rows], abs=0.06)


def test_what_cannot_be_told_is_said():
    with pytest.raises(NotReady, match="on 0 of 7 earlier days"):
        try_origins(fit_bg_nbd, [1, 2, 2], [1, 2, 9], as_of=20)
    with pytest.raises(NotReady, match="nobody ordered"):
        try_origins(fit_bg_nbd, [1], [30], as_of=20)
    found, _ = ahead(*shop(1))
    with pytest.raises(InputError, match="0 or more"):
        found.widened(-0.1)
    assert found.widened(0.0) is found
