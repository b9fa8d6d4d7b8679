"""Every operator of the language finds whom a slow reading, customer by customer, finds."""

from datetime import timedelta

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.understand.audiences import slow_judge
from tests.understand.audiences.worlds import (
    ADD,
    NUMBERS,
    ORDER,
    VIEW,
    WORDS,
    customer,
    found,
    in_zone,
    utc,
)

from regulars.understand.segments.audiences import tables

BACKEND = ibis.duckdb.connect(threads=1)
BACKEND.raw_sql("SET TimeZone='UTC'")
# Clocks go forward in New York in the night of this day, and Auckland is a day ahead of UTC.
ZONES = ["Asia/Shanghai", "America/New_York", "Pacific/Auckland"]
AT = utc(2026, 3, 9, 4, 30)
NAMES = [VIEW, ADD, ORDER]

numbers = st.sampled_from([0, 0.5, 1, 2, 18.5, 100])
words = st.sampled_from(["Wuhan", "上海", "tea", ""])
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
names = st.sampled_from(NAMES)
spans = st.one_of(
    st.fixed_dictionaries({"days": st.sampled_from([1, 2, 7])}),
    st.fixed_dictionaries({"hours": st.sampled_from([1, 24, 48])}),
    st.just({"from": "2026-03-07", "to": "2026-03-08"}),
)
within = st.sampled_from([{"within_hours": 2}, {"within_days": 1}, {"within_days": 3}])
fields = st.one_of(
    st.builds(
        lambda f, s, v: {"field": f, "is": s, "value": v}, st.sampled_from(NUMBERS), signs, numbers
    ),
    st.builds(
        lambda f, v: {"field": f, "is": "between", "value": sorted(v)},
        st.sampled_from(NUMBERS),
        st.lists(numbers, min_size=2, max_size=2),
    ),
    st.builds(
        lambda f, v: {"field": f, "is": "in", "value": v},
        st.sampled_from(WORDS),
        st.lists(words, min_size=1, max_size=2),
    ),
    st.builds(
        lambda f, s, v: {"field": f, "is": s, "value": v},
        st.sampled_from(WORDS),
        st.sampled_from(["=", "!="]),
        words,
    ),
    st.builds(
        lambda f, s: {"field": f, "is": s},
        st.sampled_from(NUMBERS + WORDS),
        st.sampled_from(["exists", "missing"]),
    ),
)
scores = st.one_of(
    st.builds(
        lambda s, v: {"score": "customer_values.p_alive", "is": s, "value": v}, signs, numbers
    ),
    st.just({"score": "rfm_scores.segment", "is": "in", "value": ["champions", "loyal"]}),
    st.just({"score": "rfm_scores.segment", "is": "missing"}),
)
events = st.builds(
    lambda n, w, s, v: {"event": n, "is": s, "value": v} | w,
    names,
    spans,
    signs,
    st.integers(0, 2),
)
sequences = st.builds(
    lambda first, later, last, days: {
        "sequence": [{"event": first}, *({"event": n} | w for n, w in later), *last],
        "days": days,
    },
    names,
    st.lists(st.tuples(names, within), min_size=1, max_size=2),
    st.one_of(st.just([]), st.builds(lambda n, w: [{"without": n} | w], names, within)),
    st.sampled_from([1, 3, 7]),
)
absences = st.builds(
    lambda first, last, w, days: {
        "sequence": [{"event": first}, {"without": last} | w],
        "days": days,
    },
    names,
    names,
    within,
    st.sampled_from([1, 3, 7]),
)
tags = st.builds(lambda t: {"tag": t}, st.sampled_from(["vip", "friend"]))
rules = st.recursive(
    st.one_of(fields, scores, events, sequences, absences, tags),
    lambda part: st.one_of(
        st.builds(lambda p: {"all": p}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda p: {"any": p}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda p: {"not": p}, part),
    ),
    max_leaves=5,
)
# Many moments a minute to both sides of midnights and of spans that end now.
moments = st.builds(
    lambda hours, minutes: AT - timedelta(hours=hours, minutes=minutes),
    st.sampled_from([0, 1, 2, 5, 24, 26, 28, 47, 48, 72, 100, 168]),
    st.sampled_from([-1, 0, 1, 30]),
)
customers = st.builds(
    customer,
    fields=st.fixed_dictionaries(
        {},
        optional={name: numbers for name in NUMBERS} | {name: words for name in WORDS},
    ),
    scores=st.fixed_dictionaries(
        {},
        optional={
            "customer_values.p_alive": numbers,
            "rfm_scores.segment": st.sampled_from(["champions", "loyal", "at_risk"]),
        },
    ),
    tags=st.sets(st.sampled_from(["vip", "friend"])),
    happened=st.lists(st.tuples(names, moments), max_size=7),
)
worlds = st.lists(customers, min_size=1, max_size=6).map(
    lambda listed: {f"c{n}": one for n, one in enumerate(listed)}
)


def judged_slowly(given_rule, world, *, at, zone):
    return {
        who for who, one in world.items() if slow_judge.holds(given_rule, one, at=at, zone=zone)
    }


@settings(deadline=None, max_examples=80)
@given(rules, worlds, st.sampled_from(ZONES))
def test_a_rule_finds_whom_the_slow_judge_finds(given_rule, world, zone):
    expected = judged_slowly(given_rule, world, at=AT, zone=zone)

    assert found(BACKEND, given_rule, world, at=AT, zone=zone) == expected


def plant(monkeypatch, wrong):
    """Put a bug into the definitions."""
    if wrong == "a window one day too long":
        right = tables._within

        def longer(activity, window, sources):
            if window.days:
                window = tables.Window(days=window.days + 1)
            return right(activity, window, sources)

        monkeypatch.setattr(tables, "_within", longer)
    elif wrong == "hours that include their far end":
        monkeypatch.setattr(
            tables,
            "_within",
            lambda activity, window, sources: (
                activity.at >= sources.at - timedelta(hours=window.hours)
            ),
        )
    else:
        monkeypatch.setattr(
            tables, "_followed", lambda clause, sources: sources.activity.select("customer_id")
        )


VIEWED = {"event": VIEW, "is": ">=", "value": 1}
VIEWED_NOT_BOUGHT = {
    "sequence": [{"event": VIEW}, {"without": ORDER, "within_days": 3}],
    "days": 30,
}
TELLING = {
    "a window one day too long": (VIEWED | {"days": 2}, [(VIEW, utc(2026, 3, 7, 5))]),
    "hours that include their far end": (VIEWED | {"hours": 24}, [(VIEW, utc(2026, 3, 8, 4, 30))]),
    "whoever did anything followed": (VIEWED_NOT_BOUGHT, [(ORDER, utc(2026, 3, 1))]),
}


@pytest.mark.parametrize("wrong", TELLING)
def test_a_planted_bug_would_be_seen(monkeypatch, wrong):
    given_rule, happened = TELLING[wrong]
    world = {"c": customer(happened=happened)}
    zone = "Asia/Shanghai"
    expected = judged_slowly(given_rule, world, at=AT, zone=zone)
    assert found(BACKEND, given_rule, world, at=AT, zone=zone) == expected

    plant(monkeypatch, wrong)

    assert found(BACKEND, given_rule, world, at=AT, zone=zone) != expected


@pytest.mark.parametrize(
    ("moments", "is_inside"),
    [
        ([(VIEW, AT - timedelta(hours=72))], True),
        ([(VIEW, AT - timedelta(hours=72) + timedelta(microseconds=1))], False),
        ([(VIEW, AT - timedelta(hours=80)), (ORDER, AT - timedelta(hours=8))], False),
        ([(VIEW, AT - timedelta(hours=80)), (ORDER, AT - timedelta(hours=7))], True),
        ([(VIEW, AT - timedelta(hours=80)), (ORDER, AT - timedelta(hours=80))], True),
        ([(VIEW, AT - timedelta(hours=80)), (ORDER, AT - timedelta(hours=90))], True),
        ([], False),
    ],
    ids=[
        "the time is just over",
        "the time is not over",
        "bought at the last moment",
        "bought after the time",
        "bought at the same moment",
        "bought before",
        "nothing",
    ],
)
def test_viewed_then_not_bought_within_three_days(moments, is_inside):
    world = {"c": customer(happened=moments)}

    assert bool(found(BACKEND, VIEWED_NOT_BOUGHT, world, at=AT, zone="UTC")) == is_inside


def test_a_day_is_a_day_of_the_zone_and_an_hour_is_sixty_minutes():
    """On 8 March 2026 New York's day has 23 hours, on 1 November 25."""
    zone = "America/New_York"
    evening = in_zone(zone, 2026, 3, 8, 23, 30)
    world = {
        "just after midnight": customer(happened=[(VIEW, in_zone(zone, 2026, 3, 8, 0, 5))]),
        "just before midnight": customer(happened=[(VIEW, in_zone(zone, 2026, 3, 7, 23, 55))]),
    }
    assert found(BACKEND, VIEWED | {"days": 1}, world, at=evening, zone=zone) == {
        "just after midnight"
    }
    # 22 hours and 25 minutes have passed since 0:05, and 22:35 since 23:55: both lie within 23.
    assert found(BACKEND, VIEWED | {"hours": 23}, world, at=evening, zone=zone) == set(world)

    autumn = in_zone(zone, 2026, 11, 1, 23, 30)
    world = {"at breakfast": customer(happened=[(VIEW, in_zone(zone, 2026, 11, 1, 0, 5))])}
    assert found(BACKEND, VIEWED | {"days": 1}, world, at=autumn, zone=zone) == {"at breakfast"}
    assert found(BACKEND, VIEWED | {"hours": 24}, world, at=autumn, zone=zone) == set()


def test_what_is_not_known_meets_nothing_but_missing():
    world = {"c": customer()}
    for sign in ("!=", "=", "<"):
        rule = {"score": "customer_values.p_alive", "is": sign, "value": 1}
        assert found(BACKEND, rule, world, at=AT, zone="UTC") == set()
    rule = {"not": {"score": "customer_values.p_alive", "is": ">", "value": 1}}
    assert found(BACKEND, rule, world, at=AT, zone="UTC") == {"c"}
