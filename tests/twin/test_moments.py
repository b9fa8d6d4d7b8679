"""The twin against its original: what the customers of the grocer do, week by week."""

import numpy as np
import pytest

from regulars.twin import Plan, Twin, moments, watched_habits
from regulars.twin.households import Habits, read_households

TOLERANCE = {
    "weekly orders, mean": 0.06,
    "weekly orders, spread": 0.08,
    "weekly orders, 90th percentile": 0.01,
    "weekly orders, 99th percentile": 0.01,
    "weekly orders, spread between customers": 0.08,
    "customers with an order in a week": 0.06,
    "weekly spend, mean": 0.06,
    "weekly spend, spread": 0.15,
    "weekly spend, 90th percentile": 0.10,
    "weekly spend, spread between customers": 0.10,
    "order, mean": 0.04,
    "order, spread": 0.08,
    "order, median": 0.15,
    "order, 90th percentile": 0.13,
    "weeks between weeks with an order, mean": 0.08,
    "shelf discount over full price": 0.10,
    "orders with a coupon": 0.08,
    "spend on own brands": 0.08,
    "orders at the weekend": 0.05,
    "spend on the largest department": 0.02,
}


@pytest.fixture(scope="module")
def lived():
    return watched_habits(Twin.begin(Plan(10_000, 7, history_weeks=26)))


@pytest.mark.parametrize("name", TOLERANCE)
def test_the_twin_matches_a_moment_of_the_real_grocer(lived, name):
    real, simulated = moments(read_households().habits), moments(lived)

    assert simulated[name] == pytest.approx(real[name], rel=TOLERANCE[name])


def test_every_moment_has_a_tolerance(lived):
    assert set(moments(lived)) == set(TOLERANCE)


def test_the_twin_buys_from_the_departments_the_real_households_buy_from(lived):
    real = read_households().habits.departments

    share, real_share = lived.departments / lived.departments.sum(), real / real.sum()

    assert np.abs(share - real_share).max() < 0.01


def test_customers_who_are_all_alike_would_not_match(lived):
    """The planted bug: everybody visits at the mean rate. The tolerances must catch it."""
    rng = np.random.default_rng(1)
    alike = rng.poisson(lived.orders.mean(), lived.orders.shape).astype(float)
    flat = Habits(alike, alike * 30, lived.baskets, lived.departments, 1, 1, 1, 1)
    real, found = moments(read_households().habits), moments(flat)

    missed = [name for name in TOLERANCE if name.startswith("weekly orders")
              and found[name] != pytest.approx(real[name], rel=TOLERANCE[name])]  # fmt: skip

    assert "weekly orders, spread" in missed
    assert "weekly orders, spread between customers" in missed


def test_the_moments_of_the_data_are_the_ones_counted_by_hand():
    real = moments(read_households().habits)

    assert real["weekly orders, mean"] == pytest.approx(1.0975, abs=0.0001)
    assert real["order, mean"] == pytest.approx(29.554, abs=0.001)
    assert real["order, median"] == pytest.approx(15.97, abs=0.001)
