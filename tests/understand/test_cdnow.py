"""CDNOW to the day: the published figures of every order model, and 23,570 customers ahead."""

from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pytest

from regulars.understand.value import (
    count_histories,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_gg_nbd,
    fit_mbg_nbd,
    fit_pareto_nbd,
    group_histories,
    season_of_sales,
    standard_errors,
    try_origins,
)

DATASETS = Path(lifetimes.__file__).parent / "datasets"
UNTIL = pd.Timestamp("1997-09-30")


def days_of(file, columns, *, header):
    """One row per customer and day with an order: the day against the cut, and what was spent."""
    rows = pd.read_csv(DATASETS / file, sep=r"\s+", header=header, names=columns)
    rows["day"] = (pd.to_datetime(rows.date.astype(str), format="%Y%m%d") - UNTIL).dt.days
    return rows.groupby(["customer_id", "day"], as_index=False).spent.sum()


@pytest.fixture(scope="module")
def sample():
    """One in ten of the customers, as published."""
    columns = ["master_id", "customer_id", "date", "items", "spent"]
    return days_of("CDNOW_sample.txt", columns, header=None)


@pytest.fixture(scope="module")
def histories(sample):
    found = sample.assign(customer_id=sample.customer_id.astype(str))
    return count_histories(found[["customer_id", "day"]], until=0)


def rhythm(days):
    """Repeat orders, weeks to the last and to the cut, and orders after it, by customer."""
    day = days[days.day <= 0].groupby("customer_id").day
    later = days[days.day > 0].groupby("customer_id").size().reindex(day.groups, fill_value=0)
    columns = (day.count() - 1, (day.max() - day.min()) / 7, -day.min() / 7, later)
    return tuple(column.to_numpy(float) for column in columns)


@pytest.mark.parametrize(
    ("fit", "parameters", "likelihood", "within"),
    [
        # CLVTools, test_correctness_bgnbd.R and test_correctness_pnbd_nocovstaticcov.R
        (fit_bg_nbd, [0.2425945, 4.4136019, 0.7929199, 2.4258881], -9582.429, 1e-4),
        (fit_pareto_nbd, [0.55315, 10.57633, 0.60625, 11.67150], -9594.976, 1e-3),
        # BTYDplus, as in the tests of lifetimes, to three decimals
        (fit_mbg_nbd, [0.525, 6.183, 0.891, 1.614], -9582.136, 1e-3),
    ],
)
def test_the_order_models_of_cdnow_are_the_published_ones(
    histories, fit, parameters, likelihood, within
):
    found = fit(histories)

    assert found.customers == 2357
    assert [getattr(found, name) for name in found.NAMES] == pytest.approx(parameters, rel=within)
    assert found.log_likelihood == pytest.approx(likelihood, abs=0.001)
    assert not found.note


def test_the_errors_of_the_pareto_nbd_are_the_published_ones(histories):
    found = standard_errors(fit_pareto_nbd(histories), histories)

    assert list(found.values()) == pytest.approx(
        [0.0476264, 0.8427222, 0.1872594, 6.2105448], rel=1e-3
    )


def test_leaving_does_not_grow_likelier_and_the_gompertz_form_says_so(histories):
    """CLVTools .55313 10.5758 .60682, b and beta near nothing; Bemmaor & Glady .553 10.578 .603."""
    found = fit_gg_nbd(histories)

    assert [found.r, found.alpha, found.s] == pytest.approx([0.55313, 10.5758, 0.60682], rel=1e-3)
    assert found.beta == pytest.approx(0.000013 / 0.0000011, rel=0.05)
    assert found.log_likelihood == pytest.approx(-9594.9762, abs=0.001)
    assert "e_fold at its most" in found.note


def test_the_spend_model_of_cdnow_is_the_published_one(sample):
    """Fader & Hardie (2013); the likelihood of CLVTools, test_correctness_gg.R."""
    seen = sample[sample.day <= 0]
    repeat = seen[seen.day > seen.groupby("customer_id").day.transform("min")]
    spent = repeat.groupby("customer_id").spent.agg(["count", "mean"])

    found = fit_gamma_gamma(spent["count"], spent["mean"])

    assert found.customers == 946
    assert [found.p, found.q, found.gamma] == pytest.approx([6.25, 3.74, 15.44], abs=5e-3)
    assert found.log_likelihood == pytest.approx(-4055.9177, abs=0.001)


def test_the_sample_ahead_comes_as_near_as_was_measured(sample, histories):
    x, t_x, T, later = rhythm(sample)

    expected = fit_bg_nbd(histories).expected_orders(x, t_x, T, 39)

    assert expected.sum() / later.sum() - 1 == pytest.approx(-0.122, abs=1e-3)
    assert np.abs(expected - later).mean() == pytest.approx(0.7855, abs=1e-4)


@pytest.fixture(scope="module")
def orders():
    return days_of("CDNOW_master.txt", ["customer_id", "date", "items", "spent"], header=0)


@pytest.fixture(scope="module")
def master(orders):
    return rhythm(orders)


def ahead(master, fit, weeks=39):
    x, t_x, T, later = master
    model = fit(group_histories(x, t_x, T))
    return model, model.expected_orders(x, t_x, T, weeks), later


def test_all_customers_of_cdnow_ahead_come_as_near_as_was_measured(master):
    x, _, T, _ = master
    model, expected, later = ahead(master, fit_bg_nbd)
    naive = x / T * 39

    assert later.size == 23_570
    assert [getattr(model, name) for name in model.NAMES] == pytest.approx(
        [0.2516, 4.789, 0.7234, 2.1611], rel=2e-4
    )
    assert model.log_likelihood == pytest.approx(-95368.444, abs=0.001)
    assert expected.sum() / later.sum() - 1 == pytest.approx(-0.143, abs=5e-4)
    assert np.abs(expected - later).mean() == pytest.approx(0.8187, abs=1e-4)
    assert np.sqrt(np.mean((expected - later) ** 2)) == pytest.approx(1.733, abs=5e-4)
    assert np.corrcoef(expected, later)[0, 1] == pytest.approx(0.669, abs=5e-4)
    best = np.argsort(-expected, kind="stable")[:2357]
    assert later[best].sum() / later.sum() == pytest.approx(0.456, abs=1e-3)
    assert naive.sum() / later.sum() - 1 == pytest.approx(0.47, abs=5e-3)
    assert np.abs(naive - later).mean() == pytest.approx(1.038, abs=5e-4)


def test_the_pareto_nbd_is_nearest_of_all_and_still_too_low(master):
    """Below a mean error of 0.80; the total is not within 8 %, which the docs say plainly."""
    _, expected, later = ahead(master, fit_pareto_nbd)

    assert np.abs(expected - later).mean() == pytest.approx(0.7938, abs=1e-4)
    assert expected.sum() / later.sum() - 1 == pytest.approx(-0.1286, abs=5e-4)


@pytest.mark.parametrize(
    ("trade", "total", "error"),
    [("books_music_hobby", -0.102, 0.799), ("mail_order", -0.076, 0.807)],
)
def test_the_season_of_the_trade_brings_the_total_nearer(orders, trade, total, error):
    """Monthly Retail Trade Survey of the US Census Bureau, not adjusted, 1992 to 1996."""
    sales = pd.read_csv(Path(__file__).parent / "us_retail_sales.csv")
    season = season_of_sales(sales.month.to_numpy("datetime64[M]"), sales[trade])
    day = UNTIL.to_datetime64().astype("datetime64[D]") + orders.day.to_numpy("m8[D]")
    cut, end = UNTIL.to_datetime64().astype("datetime64[D]"), np.datetime64("1998-06-30")
    x, t_x, T = season.rhythm(orders.customer_id, day, as_of=cut)
    _, _, _, later = rhythm(orders)

    model = fit_pareto_nbd(group_histories(x, t_x, T))
    expected = model.expected_orders(x, t_x, T, float(season.elapsed([cut], [end])[0]))

    assert expected.sum() / later.sum() - 1 == pytest.approx(total, abs=6e-4)
    assert np.abs(expected - later).mean() == pytest.approx(error, abs=6e-4)


def test_earlier_days_say_that_the_total_may_be_as_far_off_as_it_was(orders, master):
    """Within the first 39 weeks alone; the total ahead then is 14.3 % too low."""
    seen = orders[orders.day <= 0]
    found = try_origins(fit_bg_nbd, seen.customer_id, seen.day, as_of=0)
    _, expected, later = ahead(master, fit_bg_nbd)

    missed = abs(np.log(later.sum() / expected.sum()))
    assert found.spread == pytest.approx(0.089, abs=5e-3)
    assert found.spread < missed < 2.35 * found.spread
