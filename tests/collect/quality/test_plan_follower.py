"""Batches of events held against the plan: counted once, kept within bounds, never lost."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema
from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.batch import EventBatch
from regulars.collect.quality.plan import EventRule, Plan, PropertyRule, starting_plan
from regulars.collect.quality.plan import service as plans
from regulars.collect.quality.plan.service import (
    KEPT_PER_FAULT,
    QualityFollower,
    adopt,
    adopted_plan,
    fault_counts,
    kept_violations,
    observed_events,
    plan_versions,
)
from regulars.errors import InputError
from regulars.records import TABLES

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PAID = Plan({
    "Paid": EventRule("paid", "order", property={
        "total": PropertyRule("number", required=True), "reason": PropertyRule(enum=("a", "b")),
    })
})  # fmt: skip


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def batch(events, *, sequence=1, partition=0, source="web", at=NOW):
    rows = [
        {
            "source": source, "message_id": f"{partition}-{sequence}-{i}", "type": "track", "event": name,
            "payload": json.dumps({"type": "track", "event": name, "properties": properties}),
            "received_at": at + timedelta(milliseconds=i), "anonymous_id": "d1" if i % 2 else None,
        }
        for i, (name, properties) in enumerate(events)
    ]  # fmt: skip
    schema = arrow_schema(TABLES["events"])
    return EventBatch(partition, sequence, pa.Table.from_pylist(rows, schema=schema))


def test_events_are_counted_and_faults_are_kept_beside_the_row(state):
    adopt(state, PAID, actor="ann", at=NOW)
    follower = QualityFollower(state)

    follower.follow(batch([("Paid", {"total": "12"}), ("Paid", {"total": 3}), ("Paid", {})]))

    seen = observed_events(state).of("web", "Paid")
    assert (seen.seen, seen.checked, seen.breaching, seen.identified) == (3, 3, 2, 1)
    assert (seen.wanted, seen.filled) == (3, 2)
    assert [(f.path, f.rule, f.seen) for f in fault_counts(state)] == [
        ("properties.total", "required", 1),
        ("properties.total", "type", 1),
    ]
    [kept] = [v for v in kept_violations(state) if v.rule == "type"]
    assert (kept.message_id, kept.wanted, kept.found, kept.sample) == (
        "0-1-0",
        "number",
        "string",
        "99",
    )


def test_a_batch_handed_over_again_changes_nothing(state):
    adopt(state, PAID, actor="ann", at=NOW)
    follower, one = QualityFollower(state), batch([("Paid", {"total": "x"})] * 5)
    follower.follow(one)
    before = observed_events(state), fault_counts(state)

    follower.follow(one)
    QualityFollower(state).follow(one)

    assert (observed_events(state), fault_counts(state)) == before
    assert (follower.position(0), follower.position(1)) == (1, 0)


def test_a_crash_within_a_batch_leaves_neither_counts_nor_position(state, monkeypatch):
    follower = QualityFollower(state)
    monkeypatch.setattr(plans, "_keep", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        follower.follow(batch([("Paid", {"total": "x"})]))

    assert observed_events(state).events == {}
    assert follower.position(0) == 0


def test_an_empty_batch_moves_the_position(state):
    follower = QualityFollower(state)

    follower.follow(batch([], sequence=4))

    assert follower.position(0) == 4


def test_type_flips_new_keys_and_nesting_lose_nothing_and_stay_within_bounds(state):
    adopt(state, PAID, actor="ann", at=NOW)
    follower = QualityFollower(state, checked_per_second=10**9)
    kinds = (1, "one", True, [1], {"deep": {"deeper": {"deepest": 1}}}, 1.5, None)
    events = [("Paid", {"total": kinds[i % 7], f"new_{i}": 1}) for i in range(2000)]

    for part in range(4):
        at = NOW + timedelta(minutes=part)
        follower.follow(batch(events[part * 500 : part * 500 + 500], sequence=part + 1, at=at))

    seen = observed_events(state).of("web", "Paid")
    total = seen.properties["total"]
    assert (seen.seen, seen.checked, len(seen.properties)) == (2000, 2000, 300)
    assert total.seen == sum(kinds[i % 7] is not None for i in range(2000))
    assert (total.first_kind, total.conflicts) == (
        "number",
        sum(i % 7 in {1, 2, 3, 4} for i in range(2000)),
    )
    assert seen.overflow >= 2000 - 300
    assert len(kept_violations(state, most=10_000)) <= 2 * KEPT_PER_FAULT
    assert sum(f.seen for f in fault_counts(state)) == seen.breaching


def test_the_order_of_partitions_does_not_change_the_counts(tmp_path):
    found = []
    for order in ((0, 1), (1, 0)):
        url = f"sqlite:///{tmp_path / f'{order[0]}.db'}"
        migrate(url)
        state = SQLState(url)
        follower = QualityFollower(state)
        for partition in order:
            at = NOW + timedelta(seconds=partition)
            value = ("text", 7)[partition]
            follower.follow(batch([("A", {"p": value})], partition=partition, at=at))
        found.append(observed_events(state))

    assert found[0] == found[1]
    assert found[0].of("web", "A").properties["p"].first_kind == "string"


def test_a_flood_is_sampled_but_counted_whole_and_a_rare_fault_in_it_is_seen(state):
    adopt(state, PAID, actor="ann", at=NOW)
    events = [("Seen", {"x": 1})] * 3000 + [("Paid", {"total": "no"})]

    QualityFollower(state, checked_per_second=100).follow(batch(events))

    observed = observed_events(state)
    assert observed.of("web", "Seen").seen == 3000
    assert observed.of("web", "Seen").checked < 400
    assert observed.of("web", "Paid").breaching == 1


def test_names_beyond_the_bound_are_counted_under_one(state, monkeypatch):
    monkeypatch.setattr(plans, "MOST_EVENTS", 3)
    adopt(state, PAID, actor="ann", at=NOW)

    QualityFollower(state).follow(
        batch([(f"n{i}", {}) for i in range(10)] + [("Paid", {"total": 1})])
    )

    counts = {label: seen.seen for (_, label), seen in observed_events(state).events.items()}
    assert counts == {"n0": 1, "n1": 1, "n2": 1, "(other)": 7, "Paid": 1}


def test_the_packaged_plan_is_in_force_until_one_is_adopted(state):
    assert adopted_plan(state).version == 0
    assert adopted_plan(state).plan == starting_plan()


def test_adopting_keeps_versions_writes_the_audit_log_and_takes_effect_at_once(state):
    follower = QualityFollower(state)
    follower.follow(batch([("Paid", {"total": "x"})]))
    first = adopt(state, PAID, actor="ann", at=NOW)
    again = adopt(state, PAID, actor="bob", at=NOW)

    follower.follow(batch([("Paid", {"total": "x"})], sequence=2))

    assert (first.version, again) == (1, first)
    assert [f.seen for f in fault_counts(state)] == [1]
    second = adopt(state, Plan(), actor="bob", at=NOW)
    assert [(v.version, v.actor) for v in plan_versions(state)] == [(1, "ann"), (2, "bob")]
    assert second.plan == Plan()
    with state.reading() as opened:
        entries = opened.all("SELECT actor, action, detail FROM audit_log ORDER BY number")
    assert [(e["actor"], e["action"]) for e in entries] == [
        ("ann", "plan.adopt"),
        ("bob", "plan.adopt"),
    ]
    assert json.loads(entries[1]["detail"])["changes"] == {"removed": 1}


def test_a_plan_that_contradicts_itself_is_not_adopted(state):
    wrong = Plan({"A": EventRule("", "", property={"x": PropertyRule("money")})})

    with pytest.raises(InputError, match="money"):
        adopt(state, wrong, actor="ann", at=NOW)

    assert plan_versions(state) == []
