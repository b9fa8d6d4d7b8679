"""Season: busy time instead of calendar time, on known truth."""

import numpy as np
import pytest

from regulars.errors import InputError, NotReady
from regulars.understand.value import (
    Season,
    fit_mbg_nbd,
    fit_season,
    group_histories,
    season_of_sales,
)

TRUTH = np.array([0.7, 0.6, 0.8, 0.9, 1.0, 0.9, 0.8, 0.9, 1.0, 1.1, 1.5, 1.8])
BEGIN, END = np.datetime64("2023-01-01"), np.datetime64("2026-01-01")


def shop(customers=6000, seed=1, weight=TRUTH):
    """Buyers of the MBG/NBD whose clock runs in busy days, joining over the first two years."""
    draw = np.random.default_rng(seed)
    days = np.arange(BEGIN, END)
    busy = np.cumsum((weight / weight.mean())[days.astype("M8[M]").astype(int) % 12])
    rate, leave = draw.gamma(1.2, 1 / 60, customers), draw.beta(0.8, 6.0, customers)
    now = busy[draw.integers(0, 600, customers)]
    active, who, when = np.arange(customers), [np.arange(customers)], [now.copy()]
    while active.size:
        active = active[draw.random(active.size) > leave[active]]
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-9))
        active = active[now[active] < busy[-1]]
        who.append(active)
        when.append(now[active].copy())
    customer, moment = np.concatenate(who), np.concatenate(when)
    return customer, days[np.searchsorted(busy, moment)]


def total_ahead(season, customer, day, *, as_of, until):
    x, t_x, T = season.rhythm(customer, day, as_of=as_of)
    model = fit_mbg_nbd(season.histories(customer, day, as_of=as_of))
    return model.expected_orders(x, t_x, T, float(season.elapsed([as_of], [until])[0])).sum()


def test_the_season_is_found_though_customers_join_and_leave():
    found = fit_season(*shop()).weight

    assert found == pytest.approx(TRUTH / TRUTH.mean(), abs=0.1)


@pytest.mark.parametrize(
    ("as_of", "until"), [("2025-10-31", "2025-12-31"), ("2025-01-05", "2025-03-01")]
)
def test_orders_ahead_are_foretold_where_calendar_time_is_far_off(as_of, until):
    customer, day = shop()
    as_of, until = np.datetime64(as_of), np.datetime64(until)
    came = np.unique(np.stack([customer, day.astype(int)]), axis=1)[1].astype("datetime64[D]")
    joined = np.full(customer.max() + 1, END)
    np.minimum.at(joined, customer, day)
    known = joined[customer] <= as_of
    truth = ((day > as_of) & (day <= until) & known).sum()
    seen = day <= as_of

    plain = total_ahead(Season(np.ones(12)), customer, day, as_of=as_of, until=until)
    busy = total_ahead(
        fit_season(customer[seen], day[seen]), customer, day, as_of=as_of, until=until
    )

    assert came.size > 10_000
    assert abs(busy / truth - 1) < 0.08
    assert abs(plain / truth - 1) > 0.2


def test_without_a_season_nothing_changes():
    customer, day = shop(2000, weight=np.ones(12))
    flat = Season(np.ones(12))

    x, t_x, T = flat.rhythm(customer, day, as_of=END)

    first = np.full(customer.max() + 1, END)
    np.minimum.at(first, customer, day)
    assert (END - first).astype(float) == pytest.approx(T)
    assert fit_season(customer, day).weight == pytest.approx(np.ones(12), abs=0.12)
    assert flat.histories(customer, day, as_of=END).customers == 2000
    assert group_histories(x, t_x, T).customers == 2000


def test_growth_does_not_pass_for_a_season():
    """The planted trap: the shop doubles every quarter, and nobody buys more in December."""
    draw = np.random.default_rng(3)
    days = np.arange(BEGIN, END)
    crowd = 2 ** (np.arange(days.size - 200) / 91)
    joined = draw.choice(crowd.size, 4000, p=crowd / crowd.sum())
    when = joined[:, None] + np.cumsum(draw.exponential(25, (4000, 8)), axis=1).astype(int)
    inside = when < days.size
    customer = np.repeat(np.arange(4000), 8)[inside.ravel()]

    found = fit_season(customer, days[when[inside]])

    assert found.weight == pytest.approx(np.ones(12), abs=0.15)


def test_too_short_a_history_says_so():
    with pytest.raises(NotReady, match="a day of month 7"):
        fit_season(np.zeros(180, int), np.arange("2026-01-01", "2026-06-30", dtype="datetime64[D]"))
    with pytest.raises(NotReady, match="a day of month 1"):
        fit_season([], [])
    with pytest.raises(InputError, match="0 or more"):
        fit_season([1], [1], shrink=-1)


def test_the_season_of_a_trade_serves_a_shop_in_its_first_year():
    """The trade grows by a fifth a year, and its months are as busy as the shop's will be."""
    months = np.arange("2020-01", "2023-01", dtype="datetime64[M]")
    long = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
    year = months.astype("datetime64[Y]").astype(int)
    sold = TRUTH[np.arange(36) % 12] * long.astype(float) * 1.2 ** (year - year[0])
    customer, day = shop()
    as_of, until = np.datetime64("2023-09-30"), np.datetime64("2023-12-31")
    joined = np.full(customer.max() + 1, END)
    np.minimum.at(joined, customer, day)
    truth = ((day > as_of) & (day <= until) & (joined[customer] <= as_of)).sum()

    season = season_of_sales(months[::-1], sold[::-1])

    assert season.weight == pytest.approx(TRUTH / TRUTH.mean())
    plain = total_ahead(Season(np.ones(12)), customer, day, as_of=as_of, until=until)
    assert total_ahead(season, customer, day, as_of=as_of, until=until) == pytest.approx(
        truth, rel=0.08
    )
    assert plain < 0.8 * truth


@pytest.mark.parametrize(
    ("months", "sales", "wrong"),
    [
        (np.arange("2020-01", "2020-12", dtype="datetime64[M]"), np.ones(11), "11 months"),
        (np.arange("2020-02", "2021-02", dtype="datetime64[M]"), np.ones(12), "whole years"),
        (np.repeat(np.arange("2020-01", "2020-07", dtype="datetime64[M]"), 2), np.ones(12), "once"),
        (np.arange("2020-01", "2021-01", dtype="datetime64[M]"), np.zeros(12), "above 0"),
        (np.arange("2020-01", "2021-01", dtype="datetime64[M]"), np.ones(11), "one number"),
        (["January"] * 12, np.ones(12), "months are not read: .*January.*; write each as 1996-12"),
        ([1.5] * 12, np.ones(12), "months are not read"),
        (
            np.arange("2020-01", "2021-01", dtype="datetime64[M]"),
            ["many"] * 12,
            "sales holds words",
        ),
    ],
)
def test_sales_that_are_not_whole_years_are_refused(months, sales, wrong):
    with pytest.raises(InputError, match=wrong):
        season_of_sales(months, sales)
