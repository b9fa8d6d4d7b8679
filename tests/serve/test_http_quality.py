"""Scores, plan and anomalies over HTTP: the same numbers the services give."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from regulars.collect.ingest.batch import EventBatch
from regulars.collect.quality.plan.service import QualityFollower

PATHS = ("quality", "plan", "plan/coverage", "plan/violations", "anomalies")


@pytest.fixture(scope="module")
def client(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality") / "shop"
    app = make_shop.empty(folder)
    moment = datetime(2026, 11, 2, 9, tzinfo=UTC)
    rows = [
        {
            "source": "web", "message_id": f"m{i}", "type": "track", "event": "Order Completed",
            "payload": json.dumps({"type": "track", "event": "Order Completed", "properties": {"total": "13800138000"}}),
            "received_at": moment + timedelta(seconds=i), "occurred_at": moment, "business_date": moment.date(),
            "marks": "robot" if i == 0 else None,
        }
        for i in range(4)
    ]  # fmt: skip
    make_shop.put(app, "events", rows)
    make_shop.put(
        app,
        "receipts",
        [{"receipt": "r", "source": "web", "received": 5, "stored": 4, "duplicate": 1}],
    )
    make_shop.put(app, "actor_scores", [{"kind": "device", "actor": "d1"}], turn=1)
    make_shop.put(
        app,
        "marked_actors",
        [{"kind": "device", "actor": "d1", "reasons": "rate", "marked_on": moment.date()}],
        turn=1,
    )
    make_shop.put(
        app,
        "marked_customers",
        [{"customer_id": "c1", "reasons": "rate", "marked_on": moment.date()}],
        turn=1,
    )
    table = pa.Table.from_pylist(rows, schema=app.lake.schema("events"))
    QualityFollower(app.state).follow(EventBatch(0, 1, table))
    with serve(folder, clock=lambda: moment + timedelta(minutes=1)) as running:
        yield running.client("viewer")


def read(client, path):
    answer = client.get(f"/api/collect/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_score_of_a_source_comes_with_its_counts(client):
    found = {s["dimension"]: s for s in read(client, "quality") if s["source"] == "web"}

    assert set(found) == {"freshness", "completeness", "consistency", "uniqueness", "validity"}
    assert found["uniqueness"]["score"] == 0.8
    assert found["validity"]["counts"] == {"quarantined": 0, "checked": 4, "breaching": 4}


def test_the_plan_its_coverage_and_its_breaches_are_told_with_values_covered(client):
    plan, found = read(client, "plan"), read(client, "plan/coverage?source=web")
    breaches = read(client, "plan/violations?source=web&most=3")

    assert (plan["version"], plan["versions"]) == (0, [])
    assert plan["event"]["Order Completed"]["property"]["order_id"]["required"] is True
    assert (found["declared_seen"], found["share_of_events"]) == (1, 1.0)
    assert {c["path"]: c["seen"] for c in breaches["counts"]}["properties.total"] == 4
    assert len(breaches["rows"]) == 3
    assert "13800138000" not in json.dumps(breaches)


def test_marks_are_counted_by_reason(client):
    assert read(client, "anomalies") == {
        "turn": 1,
        "actors": [{"kind": "device", "reasons": "rate", "actors": 1}],
        "customers": 1,
        "events": {"robot": 1},
    }


@pytest.mark.parametrize("path", PATHS)
def test_a_new_workspace_answers_too(empty_server, path):
    assert read(empty_server.client("viewer"), path) is not None
