"""The tracking plan: what it may say, how events are held against it, how two plans differ."""

from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.collect.quality.plan import (
    EventRule,
    Observed,
    Plan,
    PlanChecks,
    PropertyRule,
    coverage,
    differences,
    read_plan,
    starting_plan,
    suggested_plan,
)
from regulars.collect.quality.plan.json_schema import plan_of_schema, schema_of_plan
from regulars.collect.quality.plan.model import check_plan
from regulars.collect.quality.plan.observed import MOST_PROPERTIES, MOST_VALUES, rows_to_check
from regulars.collect.quality.plan.reading import plan_of_text, text_of_plan, written_plan
from regulars.errors import InputError, NotReady

# Segment, "E-commerce Spec", version 2: every event it names.
SEGMENT_V2 = """Products Searched, Product List Viewed, Product List Filtered, Promotion Viewed,
Promotion Clicked, Product Clicked, Product Viewed, Product Added, Product Removed, Cart Viewed,
Checkout Started, Checkout Step Viewed, Checkout Step Completed, Payment Info Entered, Order Updated,
Order Completed, Order Refunded, Order Cancelled, Coupon Entered, Coupon Applied, Coupon Denied,
Coupon Removed, Product Added to Wishlist, Product Removed from Wishlist,
Wishlist Product Added to Cart, Product Shared, Cart Shared, Product Reviewed"""

SALE = """
[event."Sold"]
means = "a sale"
family = "order"
also = ["sold"]
sources = ["till"]

[event."Sold".property]
order_id = { required = true, longest = 8 }
total = { type = "number", least = 0, most = 1000 }
units = { type = "integer", least = 0, most = 99 }
reason = { enum = ["gift", "own"] }
at = { type = "datetime" }
currency = { pattern = "^[A-Z]{3}$" }
"address.city" = { required = true }
"lines[].sku" = { required = true }
"tags[]" = { }
"""


def plan_of(tmp_path, text, name="a.toml"):
    (tmp_path / name).write_text(text, "utf-8")
    return read_plan(tmp_path)


@pytest.fixture
def checks(tmp_path):
    return PlanChecks(plan_of(tmp_path, SALE))


def sold(**properties):
    whole = {"order_id": "o1", "address": {"city": "x"}} | properties
    return {"type": "track", "event": "Sold", "properties": whole}


def faults(checks, **properties):
    return [
        (v.path.removeprefix("properties."), v.rule, v.found)
        for v in checks.check(sold(**properties))
    ]


def test_an_event_that_keeps_the_plan_breaks_nothing(checks):
    kept = sold(
        total=12, units=3, reason="gift", at="2026-11-01T10:00:00Z", currency="CNY",
        lines=[{"sku": "a"}, {"sku": "b", "more": 1}], tags=["x"], unknown={"a": 1},
    )  # fmt: skip

    assert checks.check(kept) == ()


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"order_id": None}, ("order_id", "required", "missing")),
        ({"order_id": "123456789"}, ("order_id", "length", "string")),
        ({"total": "12"}, ("total", "type", "string")),
        ({"total": -1}, ("total", "range", "integer")),
        ({"total": True}, ("total", "type", "boolean")),
        ({"units": 1.5}, ("units", "type", "number")),
        ({"units": 100}, ("units", "range", "integer")),
        ({"reason": "other"}, ("reason", "enum", "string")),
        ({"reason": 3}, ("reason", "type", "integer")),
        ({"at": "yesterday"}, ("at", "form", "string")),
        ({"currency": "yuan"}, ("currency", "pattern", "string")),
        ({"address": {}}, ("address.city", "required", "missing")),
        ({"address": "x"}, ("address", "type", "string")),
        ({"lines": [{"sku": "a"}, {}]}, ("lines[].sku", "required", "missing")),
        ({"lines": {"sku": "a"}}, ("lines", "type", "object")),
        ({"tags": ["a", 1]}, ("tags[]", "type", "integer")),
    ],
)
def test_a_broken_value_is_named_with_path_rule_and_kind(checks, properties, fault):
    assert faults(checks, **properties) == [fault]


def test_every_fault_of_an_event_is_named(checks):
    assert len(faults(checks, order_id=None, total="x", units="y")) == 3


def test_properties_that_are_no_object_are_a_fault_and_missing_ones_are_missing(checks):
    listed = checks.check({"type": "track", "event": "Sold", "properties": [1]})
    none = checks.check({"type": "track", "event": "Sold"})

    assert [(v.path, v.rule, v.found) for v in listed] == [("properties", "type", "array")]
    assert {v.path for v in none} == {"properties.order_id"}


def test_an_event_is_known_by_its_other_names_and_an_unknown_one_breaks_nothing(checks):
    other = sold(total="x") | {"event": "sold"}
    unknown = sold(total="x") | {"event": "Unheard Of"}

    assert len(checks.check(other)) == 1
    assert checks.check(unknown) == ()


def test_a_source_that_should_not_send_an_event_is_named(checks):
    [fault] = checks.check(sold(), "web")

    assert (fault.rule, fault.wanted) == ("source", "one of till")
    assert checks.check(sold(), "till") == ()


def test_a_sample_shows_no_letter_and_no_digit_of_the_value(checks):
    [fault] = checks.check(sold(total="王小明 13800138000"))

    assert fault.sample == "xxx 99999999999"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1100) | st.floats(-5, 1100)
    | st.sampled_from(["", "gift", "CNY", "o1", "2026-11-01T10:00:00Z", "123456789"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["sku", "city", "more"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from([
            "order_id",
            "total",
            "units",
            "reason",
            "at",
            "currency",
            "address",
            "lines",
            "tags",
        ]),
        JSON,
    )
)
def test_the_one_call_and_the_walk_through_the_values_agree(properties):
    plan = msgspec.convert(_sale(), Plan)
    event = {"type": "track", "event": "Sold", "properties": properties}
    alone = {
        path: PlanChecks(Plan({"Sold": EventRule("", "", property={path: rule})})).check(event)
        for path, rule in plan.event["Sold"].property.items()
    }

    whole = PlanChecks(plan).check(event)

    assert bool(whole) == any(alone.values())
    assert {v.path for v in whole} <= {v.path for found in alone.values() for v in found}


def _sale():
    import tomllib

    return tomllib.loads(SALE)


def test_the_packaged_plan_holds_all_of_segment_and_what_no_web_shop_sees():
    plan = starting_plan()
    names = {name.strip() for name in SEGMENT_V2.replace("\n", " ").split(",")}

    assert len(names) == 28
    assert names - set(plan.event) == set()
    assert len(plan.event) >= 40
    assert "out_of_stock" in plan.event["Cart Abandoned"].property["reason"].enum
    assert plan.event["Product Tried"].property["is_bought"].required
    assert [n for n, rule in plan.event.items() if not rule.means or not rule.family] == []
    assert [
        (n, p)
        for n, rule in plan.event.items()
        for p, one in rule.property.items()
        if not one.means
    ] == []


def test_the_packaged_plan_declares_nine_of_ten_behaviours_and_misses_a_family_taken_out():
    plan = starting_plan()
    less = Plan({n: rule for n, rule in plan.event.items() if rule.family != "trial"})

    assert coverage(plan, Observed()).share_of_behaviours >= 0.9
    assert coverage(less, Observed()).behaviours_missing == ("trial",)


def test_a_plan_written_as_toml_text_or_json_schema_reads_back_the_same(tmp_path):
    plan = starting_plan()

    assert plan_of(tmp_path, written_plan(plan)) == plan
    assert plan_of_text(text_of_plan(plan)) == plan
    back = plan_of_schema(msgspec.json.decode(msgspec.json.encode(schema_of_plan(plan))))
    assert back == plan


def test_a_json_schema_from_elsewhere_becomes_a_plan():
    schema = {
        "title": "Sold",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "maxLength": 9},
            "when": {"type": "string", "format": "date-time"},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"n": {"type": ["integer", "null"], "minimum": 1}},
                },
            },
        },
    }

    found = plan_of_schema(schema).event["Sold"].property

    assert found["id"] == PropertyRule(required=True, longest=9)
    assert found["when"].type == "datetime"
    assert found["lines[].n"] == PropertyRule("integer", least=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[event.A]\nmeans = 'x'\nfamily = 'y'\ntype = 'trakc'", "trakc"),
        ("[event.A]\nmeans = 'x'", "family"),
        ("[event.A]\nmeans = 'x'\nfamily = 'y'\nproperty.a = { type = 'money' }", "money"),
        ("[event.A]\nmeans = 'x'\nfamily = 'y'\nproperty.a = { least = 1 }", "least"),
        ("[event.A]\nmeans = 'x'\nfamily = 'y'\nproperty.a = { pattern = '(' }", "pattern"),
        (
            "[event.A]\nmeans = 'x'\nfamily = 'y'\nalso = ['B']\n[event.B]\nmeans = 'x'\nfamily = 'y'",
            "both claim 'B'",
        ),
        ("[source.web]\nmode = 'strict'", "quarantine"),
        ("[event.A\n", "not readable TOML"),
        ("[event.A]\nmeans = 'x'\nfamily = 'y'\nproperty.'a..b' = { }", "empty part"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_by_name(tmp_path, text, says):
    with pytest.raises(InputError, match=says.replace("(", r"\(")) as refused:
        plan_of(tmp_path, text)

    assert str(tmp_path) in str(refused.value)


def test_one_event_in_two_files_is_refused_and_no_plan_says_what_to_run(tmp_path):
    with pytest.raises(NotReady, match="adopt --starting"):
        read_plan(tmp_path)
    plan_of(tmp_path, SALE)
    with pytest.raises(InputError, match=r"b\.toml: 'Sold' is declared"):
        plan_of(tmp_path, SALE, "b.toml")


RULES = st.builds(
    PropertyRule,
    type=st.just("number"), required=st.booleans(),
    least=st.none() | st.integers(0, 3), most=st.none() | st.integers(4, 9),
)  # fmt: skip


@given(RULES, RULES, st.none() | st.integers(-2, 12))
def test_a_change_that_is_only_looser_breaks_no_event_that_kept_the_plan(old, new, value):
    before, after = (Plan({"A": EventRule("", "", property={"x": rule})}) for rule in (old, new))
    event = {"type": "track", "event": "A", "properties": {"x": value}}
    changes = {str(one.change) for one in differences(before, after)}

    if changes <= {"looser"} and not PlanChecks(before).check(event):
        assert not PlanChecks(after).check(event)
    assert differences(before, before) == ()


def test_differences_tell_added_removed_and_both_ways_of_an_enumeration(tmp_path):
    old = plan_of(tmp_path, SALE)
    rule = old.event["Sold"]
    kept = {p: r for p, r in rule.property.items() if p != "units"}
    kept["reason"] = PropertyRule(enum=("gift", "theft"))
    new = Plan({"Sold": msgspec.structs.replace(rule, property=kept), "New": EventRule("", "")})

    found = {(str(d.change), d.event, d.path, d.what) for d in differences(old, new)}

    assert found == {
        ("added", "New", "", "event"),
        ("removed", "Sold", "units", "property"),
        ("looser", "Sold", "reason", "enum"),
        ("stricter", "Sold", "reason", "enum"),
    }


def seen(events, source="web", at=1):
    observed = Observed()
    for label, properties in events:
        one = observed.of(source, label)
        one.arrived(1, at, at)
        one.checked += 1
        one.add(properties, at)
    return observed


def test_a_suggested_plan_has_types_required_values_and_enumerations_but_nobody_s_name():
    events = [
        ("Tried", {"sku": f"s{i}", "price": i + 0.5, "reason": ["dear", "size"][i % 2], "name": "王小明",
                   "when": "2026-11-01T10:00:00Z", "note": "x" if i < 50 else None})
        for i in range(100)
    ]  # fmt: skip

    rule = suggested_plan(seen(events)).event["Tried"]
    text = written_plan(suggested_plan(seen(events)))

    assert {p: r.type for p, r in rule.property.items()} == {
        "sku": "string", "price": "number", "reason": "string", "name": "string",
        "when": "datetime", "note": "string",
    }  # fmt: skip
    assert rule.property["reason"].enum == ("dear", "size")
    assert rule.property["reason"].required
    assert not rule.property["note"].required
    assert "王" not in text
    assert check_plan(suggested_plan(seen(events)), "suggested")


def test_a_suggestion_keeps_the_words_of_the_plan_there_is(tmp_path):
    known = plan_of(tmp_path, SALE)

    found = suggested_plan(seen([("sold", {"order_id": "1"})] * 30), known).event

    assert list(found) == ["Sold"]
    assert found["Sold"].means == "a sale"


def test_coverage_counts_both_ways_and_per_source(tmp_path):
    plan = plan_of(tmp_path, SALE)
    came = seen([
        ("sold", {"order_id": "1", "lines": [{"sku": "a", "colour": "red"}]}),
        ("Strange", {}),
    ])

    whole, other = coverage(plan, came), coverage(plan, came, "web")

    assert (whole.declared, whole.declared_seen, whole.undeclared) == (1, 1, ("Strange",))
    assert whole.share_of_events == 0.5
    [row] = [row for row in whole.events if row.event == "Sold"]
    assert (row.properties_seen, row.undeclared) == (2, ("lines[].colour",))
    assert other.declared == 0 or "Sold" not in {r.event for r in other.events if not r.seen}


def test_five_thousand_new_keys_are_counted_within_bounds():
    came = seen([("A", {f"k{i}_{j}": j for j in range(50)}) for i in range(100)])

    one = came.of("web", "A")
    assert len(one.properties) == MOST_PROPERTIES
    assert one.overflow == 5000 - MOST_PROPERTIES
    assert one.seen == 100


def test_an_enumeration_ends_with_too_many_values():
    few = seen([("A", {"colour": f"c{i % 3}"}) for i in range(60)])
    many = seen([("A", {"colour": f"c{i}"}) for i in range(MOST_VALUES + 1)])

    assert few.of("web", "A").properties["colour"].values == {"c0": 20, "c1": 20, "c2": 20}
    assert many.of("web", "A").properties["colour"].values is None


@given(st.permutations([(1, "x"), (2, 5), (3, 5.5), (4, True)]))
def test_the_first_type_is_the_earliest_whatever_order_events_are_counted_in(order):
    one = Observed().of("web", "A")
    for at, value in order:
        one.add({"p": value}, at)

    assert one.properties["p"].first_kind == "string"
    assert one.properties["p"].conflicts == 3


@given(st.lists(st.sampled_from("abc"), max_size=300), st.integers(1, 100))
def test_sampling_looks_into_every_kind_and_never_twice(kinds, most):
    chosen = rows_to_check(kinds, most)

    assert chosen == sorted(set(chosen))
    assert {kinds[i] for i in chosen} == set(kinds)
    assert len(chosen) <= max(most, 0) + 60 or len(kinds) <= most


def test_a_moment_is_read_as_msgspec_reads_it(checks):
    naive = datetime(2026, 11, 1, 10).isoformat()

    assert faults(checks, at=naive) == []
