"""Scores per source: each known from counts made by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.batch import EventBatch
from regulars.collect.quality.freshness import freshness
from regulars.collect.quality.plan import EventRule, Plan, PropertyRule
from regulars.collect.quality.plan.model import SourceRule
from regulars.collect.quality.plan.service import QualityFollower, adopt
from regulars.collect.quality.service import quality_by_source

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PLAN = Plan(
    {"Paid": EventRule("paid", "order", property={"total": PropertyRule("number", required=True)})},
    {"till": SourceRule(expected_every=300)},
)


class Shop:
    def __init__(self, folder):
        self.lake = DeltaLake(folder / "lake")
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.state = SQLState(url)
        adopt(self.state, PLAN, actor="ann", at=NOW)

    def put(self, name, rows):
        schema = self.lake.schema(name)
        self.lake.append(name, pa.Table.from_pylist(rows, schema=schema), application="t")

    def events(self, totals, *, source="till", last=NOW, every=60):
        rows = [
            {"source": source, "message_id": f"m{i}", "type": "track", "event": "Paid", "anonymous_id": "d",
             "payload": json.dumps({"type": "track", "event": "Paid", "properties": {"total": total}}),
             "received_at": last - timedelta(seconds=every * (len(totals) - 1 - i)), "business_date": NOW.date()}
            for i, total in enumerate(totals)
        ]  # fmt: skip
        self.put("events", rows)
        table = pa.Table.from_pylist(rows, schema=self.lake.schema("events"))
        QualityFollower(self.state).follow(EventBatch(0, 1, table))

    def scores(self, source):
        engine = DuckDBEngine(self.lake, workers=1, memory="1GB")
        found = quality_by_source(engine, self.state, now=NOW, zone="Asia/Shanghai")
        return {s.dimension: s for s in found if s.source == source}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_new_workspace_has_nothing_to_score(shop):
    engine = DuckDBEngine(shop.lake, workers=1, memory="1GB")

    assert quality_by_source(engine, shop.state, now=NOW, zone="Asia/Shanghai") == []


def test_five_scores_of_a_source_follow_from_the_counts_beside_them(shop):
    shop.events([10, 20, "30", None], last=NOW - timedelta(seconds=600))
    shop.put("receipts", [{"receipt": "r", "source": "till", "received": 10, "stored": 4, "duplicate": 2,
                           "quarantined": 4, "suppressed": 0}])  # fmt: skip

    found = shop.scores("till")

    assert found["freshness"].score == 0.5
    assert found["completeness"].score == (3 + 4) / (4 + 4)
    assert found["consistency"].score == pytest.approx(2 / 3)
    assert found["uniqueness"].score == 0.8
    assert found["validity"].score == 4 / 8 * 2 / 4
    assert found["validity"].counts == {"quarantined": 4, "checked": 4, "breaching": 2}
    assert found["freshness"].counts == {"age_seconds": 600, "expected_seconds": 300}
    assert all(s.means for s in found.values())


def test_the_rhythm_of_a_source_is_learned_where_it_is_not_declared(shop):
    shop.events([1] * 20, source="web", every=600, last=NOW - timedelta(seconds=1200))

    found = shop.scores("web")["freshness"]

    assert found.counts == {"age_seconds": 1200, "expected_seconds": 600}
    assert found.score == 0.5


def test_a_source_that_fell_silent_is_as_old_as_the_window(shop):
    shop.events([1] * 5, last=NOW - timedelta(days=40))

    found = shop.scores("till")["freshness"]

    assert found.score == pytest.approx(300 / (14 * 86400))


def test_files_are_scored_by_their_imports_and_orders_by_their_lines(shop):
    day = date(2026, 11, 1)
    shop.put("imports", [
        {"import_id": f"i{n}", "file": "f", "table": "orders", "received": 10, "stored": 8, "duplicate": 1,
         "quarantined": 1, "empty_share": 0.2, "first_day": day, "last_day": day - timedelta(days=7 * n)}
        for n in range(4)
    ])  # fmt: skip
    orders = [("o1", 30), ("o2", 31)]
    shop.put(
        "orders",
        [
            {"order_id": o, "customer_id": "c", "business_date": day, "total": Decimal(t)}
            for o, t in orders
        ],
    )
    shop.put(
        "order_lines",
        [
            {"order_id": o, "line_id": str(n), "customer_id": "c", "sales": Decimal(15)}
            for o, _ in orders
            for n in range(2)
        ],
    )

    found = shop.scores("orders")

    assert {name: s.score for name, s in found.items()} == {
        "freshness": 1.0, "completeness": 0.8, "consistency": 0.5, "uniqueness": 0.9,
        "validity": pytest.approx(32 / 36),
    }  # fmt: skip
    assert found["freshness"].counts["expected_days"] == 7
    assert found["consistency"].counts == {"orders": 2, "agreeing": 1}


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e6))
def test_freshness_only_falls_with_age_and_stays_within_its_scale(age, older, expected):
    score = freshness(age, expected)

    assert 0 <= freshness(age + older, expected) <= score <= 1
