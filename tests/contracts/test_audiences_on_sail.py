"""The same rule finds the same members on DuckDB and on Sail, from the same definition."""

import json
import os
import subprocess
from pathlib import Path

import ibis
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from tests.contracts.engines.told import plain
from tests.understand.audiences.test_audience_operators import AT, ZONES, rules, worlds
from tests.understand.audiences.worlds import ADD, ORDER, VIEW, customer, found, utc

ROOT = Path(__file__).parents[2]
BACKEND = ibis.duckdb.connect(threads=1)
BACKEND.raw_sql("SET TimeZone='UTC'")
VIEWED = {"event": VIEW, "is": ">=", "value": 1}
NOT_BOUGHT = {"sequence": [{"event": VIEW}, {"without": ORDER, "within_days": 3}], "days": 7}
PEOPLE = {
    "nobody": customer(),
    "rich": customer(fields={"orders": 3, "monetary": 99.5, "city": "上海"}, tags={"vip"}),
    "scored": customer(
        scores={"customer_values.p_alive": 0.5, "rfm_scores.segment": "champions"},
        fields={"orders": 0, "city": ""},
    ),
    "looked": customer(happened=[(VIEW, utc(2026, 3, 5, 4, 30)), (VIEW, utc(2026, 3, 8, 4, 30))]),
    "bought": customer(happened=[(VIEW, utc(2026, 3, 5, 4)), (ORDER, utc(2026, 3, 8, 4))]),
    "at night": customer(happened=[(ADD, utc(2026, 3, 7, 16)), (VIEW, utc(2026, 3, 8, 5))]),
}
EACH = [
    *({"field": "orders", "is": sign, "value": 1} for sign in ("=", "!=", "<", "<=", ">", ">=")),
    {"field": "monetary", "is": "between", "value": [99.5, 100]},
    {"field": "city", "is": "in", "value": ["上海", ""]},
    {"field": "city", "is": "missing"},
    {"field": "gender", "is": "exists"},
    {"not": {"field": "city", "is": "=", "value": "上海"}},
    {"score": "customer_values.p_alive", "is": ">=", "value": 0.5},
    {"score": "rfm_scores.segment", "is": "=", "value": "champions"},
    {"tag": "vip"},
    VIEWED | {"days": 1},
    VIEWED | {"days": 5, "is": "=", "value": 0},
    VIEWED | {"hours": 24},
    VIEWED | {"from": "2026-03-05", "to": "2026-03-05"},
    NOT_BOUGHT,
    {"sequence": [{"event": ADD}, {"event": VIEW, "within_hours": 13}], "days": 3},
    {"any": [NOT_BOUGHT, {"all": [{"tag": "vip"}, {"not": VIEWED | {"days": 30}}]}]},
]


def cases(generated):
    """One case per operator, and some that were generated, in every zone."""
    listed = [
        (rule, PEOPLE, zone)
        for rule in EACH
        for zone in (ZONES if {"event", "sequence", "any"} & set(rule) else ZONES[:1])
    ]

    @seed(1)
    @settings(max_examples=generated, database=None, phases=[Phase.generate], deadline=None)
    @given(rules, worlds, st.sampled_from(ZONES))
    def collect(rule, world, zone):
        listed.append((rule, world, zone))

    collect()
    return listed


def by_sail(sail, listed, folder):
    given, said = folder / "cases.json", folder / "answers.json"
    plainly = [plain(rule, world, at=AT, zone=zone) for rule, world, zone in listed]
    given.write_text(json.dumps(plainly), encoding="utf-8")
    done = subprocess.run(
        [sail, "-m", "tests.contracts.engines.on_sail", given, said],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [set(ids) for ids in json.loads(said.read_text("utf-8"))]


def test_every_operator_finds_the_same_on_both_engines(sail, tmp_path):
    listed = cases(generated=20)
    on_duckdb = [found(BACKEND, rule, world, at=AT, zone=zone) for rule, world, zone in listed]
    on_sail = by_sail(sail, listed, tmp_path)

    differing = [
        (case[0], duck, other)
        for case, duck, other in zip(listed, on_duckdb, on_sail, strict=True)
        if duck != other
    ]
    assert differing == []
    assert sum(bool(ids) for ids in on_duckdb) > len(EACH) / 2


def test_an_engine_that_answers_otherwise_would_be_seen(sail, tmp_path):
    [answer] = by_sail(sail, [(VIEWED | {"days": 1}, PEOPLE, ZONES[0])], tmp_path)

    assert answer != found(BACKEND, VIEWED | {"days": 2}, PEOPLE, at=AT, zone=ZONES[0])
