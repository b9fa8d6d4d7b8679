"""Intervals of the scorecard: from sums alone, and do they hold what they promise."""

from datetime import date, timedelta

import ibis
import numpy as np
import pytest

from regulars.measure.scorecard import INDICATORS, Period, scorecard_of
from regulars.measure.scorecard.chance import interval_of, summed_up
from regulars.measure.scorecard.definition import Drawn, Unit
from regulars.measure.scorecard.telling import told

UNTIL = date(2026, 3, 28)
PERIOD = Period(UNTIL - timedelta(days=27), UNTIL)


def shop(seed, customers=400):
    """Customers of one taste each: the dearer, the oftener, so orders of one are alike."""
    draw = np.random.default_rng(seed)
    taste = draw.gamma(2.0, 15.0, customers)
    counts = 1 + draw.poisson(taste / 15.0)
    who = np.repeat(np.arange(customers), counts)
    total = np.round(taste[who] * draw.uniform(0.8, 1.2, who.size), 2)
    days = draw.integers(0, 28, who.size)
    return {
        "order_id": [str(n) for n in range(who.size)],
        "customer_id": [f"c{n}" for n in who],
        "business_date": [UNTIL - timedelta(days=int(n)) for n in days],
        "total": total.tolist(),
    }


def test_averages_hold_the_truth_as_often_as_they_say_though_orders_of_one_customer_are_alike():
    """The planted mistake would take every order for a draw of its own: it holds far less often."""
    many = shop(0, customers=200_000)
    truth = np.mean(many["total"])
    held, blind = 0, 0
    for seed in range(1, 25):
        rows = INDICATORS["basket"].rows({"orders": ibis.memtable(shop(seed))}, PERIOD)
        [sums] = summed_up(rows, Drawn.CUSTOMERS).to_pyarrow().to_pylist()
        low, high = interval_of(Unit.MONEY, Drawn.CUSTOMERS, sums)
        held += low <= truth <= high
        orders = np.array(shop(seed)["total"])
        blind += abs(orders.mean() - truth) < 1.96 * orders.std(ddof=1) / np.sqrt(orders.size)

    assert held >= 21
    assert blind <= 19


def test_what_counts_all_there_is_has_no_interval_and_a_share_never_leaves_zero_to_one():
    found = scorecard_of({"orders": shop(1)}, until=UNTIL).indicators

    assert (found["revenue"].now.low, found["active_customers"].now.high) == (None, None)
    assert found["revenue_per_customer"].now.low < found["revenue_per_customer"].now.value
    for hits in (0, 5):
        sums = {"numerator": hits, "denominator": 5, "draws": 5, "aa": hits, "aw": hits, "ww": 5}
        low, high = interval_of(Unit.SHARE, Drawn.ROWS, sums)
        assert 0 <= low < high <= 1


def test_the_interval_is_the_published_one_of_a_share_and_of_a_ratio():
    share = {"numerator": 81, "denominator": 263, "draws": 263, "aa": 81, "aw": 81, "ww": 263}
    rng = np.random.default_rng(2)
    amount, weight = rng.gamma(2.0, 3.0, 50), rng.integers(1, 5, 50)
    ratio = {
        "numerator": amount.sum(), "denominator": weight.sum(), "draws": 50,
        "aa": amount @ amount, "aw": amount @ weight, "ww": weight @ weight,
    }  # fmt: skip
    value = amount.sum() / weight.sum()
    error = np.std(amount - value * weight, ddof=1) / np.sqrt(50) / weight.mean()

    # Newcombe (1998), Statistics in Medicine 17, table I
    assert interval_of(Unit.SHARE, Drawn.ROWS, share) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval_of(Unit.MONEY, Drawn.CUSTOMERS, ratio) == pytest.approx(
        (value - 1.959964 * error, value + 1.959964 * error), rel=1e-6
    )
    assert interval_of(Unit.MONEY, Drawn.NOT, ratio) is None
    assert interval_of(Unit.MONEY, Drawn.ROWS, ratio | {"draws": 1}) is None


def test_json_carries_the_interval_and_its_level():
    found = told(scorecard_of({"orders": shop(3)}, until=UNTIL), locale="en", currency="CNY")
    by_key = {one["key"]: one for one in found["indicators"]}

    assert found["level"] == 0.95
    assert by_key["basket"]["low"] < by_key["basket"]["value"] < by_key["basket"]["high"]
    assert by_key["revenue"]["low"] is None
