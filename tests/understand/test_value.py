import numpy as np
import pyarrow as pa
import pytest

from regulars.errors import NotReady
from regulars.understand.value.backtest import backtest_history
from regulars.understand.value.backtest.accuracy import accuracy, paired_differences
from regulars.understand.value.estimate import estimate_values
from regulars.understand.value.grid import activity_tiers, allocation_error, value_tiers
from regulars.understand.value.habits import fit_habits
from regulars.understand.value.history import History, history_of, rhythm_of, weekly

START = 17_000


def shop(seed=1, *, customers=300, weeks=60, known=0.0):
    """Draw customers who buy at their own rate and amount; a third stop at some time."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(1.5, 0.6, customers)
    amount = draw.gamma(4.0, 8.0, customers)
    ends = np.where(draw.random(customers) < 0.33, draw.uniform(5, weeks, customers), weeks)
    rows = []
    for customer in range(customers):
        days = np.flatnonzero(draw.random(int(ends[customer] * 7)) < rate[customer] / 7)
        paid = draw.gamma(6.0, amount[customer] / 6.0, days.size)
        rows += [
            (f"c{customer:04d}", START + int(d), 1, round(p * 100))
            for d, p in zip(days, paid, strict=True)
        ]
    ids = [f"c{n:04d}" for n in range(customers)]
    table = pa.table(
        dict(
            zip(
                ("customer_id", "day", "orders", "paid"),
                map(list, zip(*rows, strict=True)),
                strict=True,
            )
        )
    )
    joined = pa.array(
        [START if n < known * customers else None for n in range(customers)], pa.int64()
    )
    return history_of(table, pa.table({"customer_id": ids, "joined_day": joined}))


def changed_after(history, day):
    """Give the same shop with another future."""
    later = history.day > day
    return History(
        history.customers,
        np.where(later, 0, history.customer),
        history.day,
        np.where(later, 50.0, history.orders),
        np.where(later, 9e6, history.paid),
        history.known_day,
        history.first_day,
    )


def test_weeks_count_back_from_the_day():
    history = shop()
    as_of = START + 41

    found = weekly(history, history.orders, as_of=as_of, weeks=6)

    newest = (history.day > as_of - 7) & (history.day <= as_of)
    assert found[:, 0].sum() == newest.sum()
    assert found.sum() == (history.day <= as_of).sum()


@pytest.mark.parametrize("weeks", [45, 20, 5], ids=["habits", "bg_nbd", "short"])
def test_nothing_after_the_day_is_read(weeks):
    history = shop()
    as_of = START + 7 * weeks - 1

    one = estimate_values(history, as_of=as_of)
    other = estimate_values(changed_after(history, as_of), as_of=as_of)

    assert (history.day > as_of).any()
    assert one.model == other.model
    assert one.parameters == other.parameters
    for name in ("expected_spend", "expected_orders", "p_alive", "year_factor"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_habits_learn_from_nothing_after_the_day():
    history = shop()
    as_of = START + 7 * 45 - 1

    one = fit_habits(history, as_of=as_of)
    other = fit_habits(changed_after(history, as_of), as_of=as_of)

    assert one.parameters() == other.parameters()


def test_training_looks_at_no_week_it_predicts():
    history = shop()
    as_of = START + 7 * 50 - 1

    found = fit_habits(history, as_of=as_of)

    assert found.cutoffs == tuple(as_of - 91 - 28 * back for back in range(4))


@pytest.mark.parametrize(
    ("weeks", "customers", "model"),
    [
        (40, 300, "spend_habits"),
        (20, 300, "spend_bg_nbd"),
        (40, 40, "spend_bg_nbd"),
        (3, 8, "spend_rate"),
    ],
)
def test_a_short_history_falls_back_openly(weeks, customers, model):
    history = shop(customers=customers)
    as_of = START + 7 * weeks - 1

    found = estimate_values(history, as_of=as_of)

    assert found.model == model
    assert model in {row[0] for row in found.parameters}
    assert np.isfinite(found.expected_spend).all()
    assert (found.expected_spend >= 0).all()
    assert ((found.p_alive >= 0) & (found.p_alive <= 1)).all()
    assert ((found.year_factor >= 1) & (found.year_factor <= 4)).all()


def test_an_empty_shop_has_values_of_zero():
    nobody = np.zeros(0)
    whole = nobody.astype(np.int64)
    history = History(3, whole, whole, nobody, nobody, np.full(3, np.inf), 0)

    found = estimate_values(history, as_of=START)

    assert found.model == "spend_rate"
    assert found.expected_spend.tolist() == [0, 0, 0]
    assert found.p_alive.tolist() == [0, 0, 0]


def test_a_customer_not_known_yet_is_worth_nothing_and_one_waiting_the_mean_of_such():
    history = shop(known=1.0)
    late = history.customer != 5
    history = History(
        history.customers,
        history.customer[late],
        history.day[late],
        history.orders[late],
        history.paid[late],
        np.where(np.arange(history.customers) == 6, np.inf, history.known_day),
        history.first_day,
    )
    as_of = START + 7 * 45 - 1

    fitted = fit_habits(history, as_of=as_of)
    spend, orders = fitted.predict(history, as_of=as_of)

    assert (spend[5], orders[5]) == (fitted.newcomer[0], fitted.newcomer[1])
    assert spend[6] == 0


def test_expected_spend_adds_up_and_follows_who_spends():
    history = shop(customers=800)

    found = backtest_history(history, as_of=START + 7 * 46 - 1)

    assert found.model == "spend_habits"
    assert found.accuracy.calibration == pytest.approx(1.0, abs=0.15)
    assert found.spearman > 0.7
    assert found.mae_over_naive.low <= found.mae_over_naive.estimate <= found.mae_over_naive.high
    assert sum(tenth.customers for tenth in found.deciles) == 800
    assert sum(cell.actual_share for cell in found.cells) == pytest.approx(1.0)
    assert found.grid_error < 0.1
    assert len(found.plot()["series"]) == 2
    assert found.to_frame().shape == (3, 4)
    assert found.to_report()["naive_mae"] == found.naive_mae


def test_a_backtest_without_the_weeks_after_it_says_so():
    with pytest.raises(NotReady, match="earlier as_of"):
        backtest_history(shop(), as_of=START + 7 * 58)


def test_a_rhythm_counts_order_days_once():
    table = pa.table({
        "customer_id": ["a", "a", "a", "b"],
        "day": [START, START + 7, START + 14, START + 3],
        "orders": [1, 2, 1, 1],
        "paid": [1000, 2000, 4000, 500],
    })
    customers = pa.table({"customer_id": ["a", "b", "c"], "joined_day": pa.nulls(3, pa.int64())})

    found = rhythm_of(history_of(table, customers), as_of=START + 21)

    assert found.customer.tolist() == [0, 1]
    assert found.x.tolist() == [2, 0]
    assert found.t_x.tolist() == [2, 0]
    assert found.T.tolist() == pytest.approx([3, 18 / 7])
    assert found.mean_spend.tolist() == [30, 0]


def test_silence_in_gaps_of_the_own_rhythm_makes_the_activity_tier():
    every_week = [("w", START + 7 * n) for n in range(20)]
    gone = [("x", START + 7 * n) for n in range(10)]
    pausing = [("y", START + 7 * n) for n in range(17)]
    names, days = zip(*(every_week + gone + pausing), strict=True)
    table = pa.table({
        "customer_id": names, "day": days, "orders": [1] * len(days), "paid": [1] * len(days),
    })  # fmt: skip
    customers = pa.table({
        "customer_id": ["w", "x", "y", "z"],
        "joined_day": pa.nulls(4, pa.int64()),
    })
    rhythm = rhythm_of(history_of(table, customers), as_of=START + 7 * 19)

    assert activity_tiers(rhythm, 4).tolist() == ["active", "sleeping", "cooling", "sleeping"]


def test_value_tiers_take_a_fifth_and_three_tenths():
    values = np.arange(100.0)

    names, counts = np.unique(value_tiers(values), return_counts=True)

    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "high": 20, "middle": 30, "low": 50,
    }  # fmt: skip


def test_allocation_error_is_the_share_that_sits_in_the_wrong_cell():
    cells = np.array(["a", "a", "b", "c"])

    right = allocation_error(cells, np.array([1.0, 1, 1, 1]), np.array([20.0, 0, 10, 10]))
    wrong = allocation_error(cells, np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1]))

    assert (right, wrong) == (0.0, 1.0)


def test_rank_correlation_shares_the_ranks_of_equal_values():
    found = accuracy(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0]))

    assert found.spearman == pytest.approx(0.9486832981)
    assert found.mae == pytest.approx(0.5)


def test_a_better_prediction_is_told_from_a_worse_one_by_the_paired_interval():
    draw = np.random.default_rng(0)
    actual = draw.gamma(1.0, 100.0, 1000)
    good, bad = actual + draw.normal(0, 10, 1000), actual + draw.normal(0, 15, 1000)

    error, rank = paired_differences(good, (bad,), actual, level=0.9, seed=1)

    assert error.high < 0 < rank.low
    assert error.low < error.estimate < error.high
