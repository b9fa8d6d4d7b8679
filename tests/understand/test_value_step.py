"""Segments and values of a turn, run on a real lake and a real DuckDB."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.records import TABLES, Turn
from regulars.understand.segments.step import score_segments
from regulars.understand.value.service import backtest
from regulars.understand.value.step import score_values
from regulars.unify.profiles.step import build_profiles

START, AS_OF = date(2026, 1, 5), date(2026, 10, 11)


def put(lake, name, columns):
    declared = TABLES[name]
    rows = len(next(iter(columns.values())))
    full = {c.name: columns.get(c.name, [None] * rows) for c in declared.columns}
    data = pa.table(full, schema=arrow_schema(declared))
    lake.append(name, cast_to(declared, data), application="test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Put 400 customers and 53 weeks of orders in a lake."""
    path = tmp_path_factory.mktemp("value") / "lake"
    lake, draw = DeltaLake(path), np.random.default_rng(4)
    ids = [f"c{n:03d}" for n in range(400)]
    put(lake, "customers", {"customer_id": [*ids, "new"], "joined_on": [None] * 400 + [AS_OF]})
    rate, amount = draw.gamma(1.5, 0.6, 400), draw.gamma(4.0, 8.0, 400)
    rows = [
        (n, START + timedelta(days=int(day)), round(float(draw.gamma(6.0, amount[n] / 6)), 2))
        for n in range(400)
        for day in np.flatnonzero(draw.random(371) < rate[n] / 7)
    ]
    orders = {
        "order_id": [f"o{n}" for n in range(len(rows))],
        "customer_id": [ids[n] for n, _, _ in rows],
        "ordered_at": [datetime(d.year, d.month, d.day, 9, tzinfo=UTC) for _, d, _ in rows],
        "business_date": [day for _, day, _ in rows],
        "total": [Decimal(str(paid)) for _, _, paid in rows],
    }
    put(lake, "orders", orders)
    return path


def run(folder, *, turn=1, workers=1):
    engine = DuckDBEngine(DeltaLake(folder), workers=workers, memory="1GB")
    now = Turn(turn, AS_OF, datetime(2026, 10, 12, 2, tzinfo=UTC), 7)
    build_profiles.run(
        engine.bound(build_profiles, turn), now, zone="Asia/Shanghai", margin_rate=0.3
    )
    score_segments.run(engine.bound(score_segments, turn), now)
    score_values.run(engine.bound(score_values, turn), now)
    return {
        name: [row for row in engine.rows(engine.table(name)) if row["turn"] == turn]
        for name in ("profiles", "rfm_scores", "customer_values", "value_models")
    }


def test_every_profile_gets_scores_and_a_value(folder):
    found = run(folder)

    ids = [row["customer_id"] for row in found["profiles"]]
    assert len(ids) == 401
    assert [row["customer_id"] for row in found["rfm_scores"]] == ids
    assert [row["customer_id"] for row in found["customer_values"]] == ids
    new = found["customer_values"][ids.index("new")]
    assert (new["p_alive"], new["activity_tier"], new["grid_cell"]) == (
        0.0,
        "sleeping",
        "low-sleeping",
    )
    for row in found["customer_values"]:
        assert row["grid_cell"] == f"{row['value_tier']}-{row['activity_tier']}"
        assert 0 <= row["residual_value"] <= row["expected_spend"] * 4 * 0.3 + 1e-9
    assert {"bg_nbd", "gamma_gamma", "spend_habits"} == {r["model"] for r in found["value_models"]}


def test_threads_do_not_change_a_bit(folder):
    assert [
        {k: v for k, v in row.items() if k != "turn"}
        for row in run(folder, turn=2)["customer_values"]
    ] == [
        {k: v for k, v in row.items() if k != "turn"}
        for row in run(folder, turn=3, workers=2)["customer_values"]
    ]


def test_a_backtest_reads_a_workspace(folder):
    engine = DuckDBEngine(DeltaLake(folder), workers=1, memory="1GB")

    found = backtest(engine, as_of=AS_OF)

    assert (found.model, found.horizon_weeks, found.customers) == ("spend_habits", 13, 401)
    assert found.mae < found.naive_mae
    assert found.to_report()["mae_over_naive"]["high"] < 0
