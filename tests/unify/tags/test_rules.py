"""A rule says the same of one customer online and of all of them in the engine."""

import json
from datetime import UTC, date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.adapters.arrow_types import arrow_schema
from regulars.errors import InputError
from regulars.records import TABLES
from regulars.unify.tags.rules import asked, holds, read_rule
from regulars.unify.tags.tables import meeting_rule

AS_OF = date(2026, 3, 1)
NUMBERS = ["orders", "monetary", "basket_size", "favourite_hour"]
WORDS = ["city", "favourite_category"]
NAMES = ["Product Viewed", "Products Searched"]

numbers = st.sampled_from([0, 1, 2, 2.5, 18, 100])
words = st.sampled_from(["Wuhan", "上海", "tea", ""])
leaf = st.one_of(
    st.builds(
        lambda f, o, v: {"field": f, "is": o, "value": v},
        st.sampled_from(NUMBERS),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        numbers,
    ),
    st.builds(
        lambda f, v: {"field": f, "is": "between", "value": v},
        st.sampled_from(NUMBERS),
        st.lists(numbers, min_size=2, max_size=2),
    ),
    st.builds(
        lambda f, o, v: {"field": f, "is": o, "value": v},
        st.sampled_from(WORDS),
        st.sampled_from(["=", "!="]),
        words,
    ),
    st.builds(
        lambda f, v: {"field": f, "is": "in", "value": v},
        st.sampled_from(WORDS),
        st.lists(words, min_size=1, max_size=3),
    ),
    st.builds(
        lambda f, o: {"field": f, "is": o},
        st.sampled_from(NUMBERS + WORDS),
        st.sampled_from(["exists", "missing"]),
    ),
    st.builds(
        lambda e, d, o, v: {"event": e, "days": d, "is": o, "value": v},
        st.sampled_from(NAMES),
        st.sampled_from([1, 7, 30]),
        st.sampled_from(["=", ">=", "<"]),
        st.integers(0, 3),
    ),
)
rules = st.recursive(
    leaf,
    lambda part: st.one_of(
        st.builds(lambda p: {"all": p}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda p: {"any": p}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda p: {"not": p}, part),
    ),
    max_leaves=6,
)
customer = st.fixed_dictionaries({
    "orders": st.integers(0, 3),
    "monetary": st.sampled_from([0.0, 2.5, 100.0]),
    "basket_size": st.sampled_from([None, 2.5, 18.0]),
    "favourite_hour": st.sampled_from([None, 18]),
    "city": st.sampled_from([None, "Wuhan", "上海"]),
    "favourite_category": st.sampled_from([None, "tea"]),
    "events": st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 40)), max_size=5),
})
BACKEND = ibis.duckdb.connect(threads=1)


def profiles_of(customers):
    names = [*NUMBERS, *WORDS]
    return ibis.memtable(
        pa.table({
            "customer_id": [f"c{n}" for n in range(len(customers))],
            **{
                name: pa.array(
                    [one[name] for one in customers],
                    pa.string() if name in WORDS else pa.float64(),
                )
                for name in names
            },
        })
    )


def events_of(customers):
    rows = []
    for n, one in enumerate(customers):
        for k, (name, back) in enumerate(one["events"]):
            day = AS_OF - timedelta(days=back)
            rows.append(
                dict.fromkeys(TABLES["events"].names)
                | {
                    "type": "track",
                    "event": name,
                    "business_date": day,
                    "occurred_at": datetime(day.year, day.month, day.day, 5, tzinfo=UTC),
                    "message_id": f"{n}-{k}",
                    "customer_id": f"c{n}",
                }
            )
    schema = arrow_schema(TABLES["events"]).append(pa.field("customer_id", pa.string()))
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def online_values(rule, one):
    values = {name: one[name] for name in (*NUMBERS, *WORDS)}
    for asks in asked(rule):
        if asks.event:
            values[asks.column] = sum(
                name == asks.event and back < asks.days for name, back in one["events"]
            )
    return values


@settings(deadline=None, max_examples=60)
@given(rules, st.lists(customer, min_size=1, max_size=6))
def test_one_tree_two_speeds(given_rule, customers):
    rule = read_rule(given_rule)
    found = meeting_rule(rule, profiles_of(customers), events_of(customers), as_of=AS_OF)
    in_engine = set(BACKEND.to_pyarrow(found).column("customer_id").to_pylist())

    online = {f"c{n}" for n, one in enumerate(customers) if holds(rule, online_values(rule, one))}

    assert in_engine == online


@pytest.mark.parametrize(("orders", "is_inside"), [(1, False), (2, True), (3, True), (4, False)])
def test_both_ends_are_between(orders, is_inside):
    rule = read_rule({"field": "orders", "is": "between", "value": [2, 3]})

    assert holds(rule, {"orders": orders}) == is_inside


def test_what_is_not_known_meets_nothing_but_missing():
    assert not holds(read_rule({"field": "city", "is": "!=", "value": "Wuhan"}), {})
    assert holds(read_rule({"not": {"field": "city", "is": "=", "value": "Wuhan"}}), {})
    assert holds(read_rule({"field": "city", "is": "missing"}), {})


@pytest.mark.parametrize(
    ("given_rule", "says"),
    [
        ([], "rule is [], must be an object"),
        ({}, "rule has none of all, any, not, field and event"),
        ({"all": []}, "rule.all is [], must be a list of conditions"),
        (
            {"all": [{"field": "oders", "is": ">", "value": 1}]},
            "rule.all[0].field is 'oders'; did you mean orders",
        ),
        ({"field": "orders", "is": "like", "value": 1}, "rule.is is 'like', must be one of: ="),
        ({"field": "orders", "is": ">", "value": "many"}, "rule.value is 'many', must be a number"),
        ({"field": "orders", "is": ">", "value": True}, "rule.value is True, must be a number"),
        ({"field": "city", "is": ">", "value": "a"}, "but city is a text; use =, != or in"),
        ({"field": "city", "is": "in", "value": "a"}, "rule.value is 'a', must be a list for 'in'"),
        ({"field": "orders", "is": "between", "value": [1]}, "has 1 values, must have two"),
        (
            {"field": "orders", "is": "exists", "value": 1},
            "must have exactly field, is; mind value",
        ),
        ({"event": "Product Viewed", "is": ">", "value": 1, "days": 0}, "rule.days is 0, must be"),
        ({"any": [{"field": "orders", "is": "exists"}], "not": {}}, "any and not"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_place(given_rule, says):
    with pytest.raises(InputError) as raised:
        read_rule(given_rule)

    assert says in str(raised.value)


def test_a_rule_of_too_many_conditions_or_levels_is_refused():
    one = {"field": "orders", "is": ">", "value": 1}
    deep = one
    for _ in range(12):
        deep = {"not": deep}

    with pytest.raises(InputError, match="has 101 conditions, must have at most 100"):
        read_rule({"all": [one] * 101})
    with pytest.raises(InputError, match="too deep"):
        read_rule(json.loads(json.dumps(deep)))
