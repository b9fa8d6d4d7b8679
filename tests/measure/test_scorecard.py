"""The scorecard: counted by hand in a small world, recomputed on a real grocer, honest in doubt."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from regulars.datasets import complete_journey
from regulars.errors import InputError, UnknownName
from regulars.measure.scorecard import INDICATORS, health_index, rows_of, scorecard_of
from regulars.measure.scorecard.definition import LOCALES, words_in

UNTIL = date(2026, 3, 14)
DAYS = 7


def day(number):
    return date(2026, 3, number)


def old(number):
    return date(2026, 2, number)


def orders(*rows):
    names = ("order_id", "customer_id", "business_date", "total")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


# The week is 8 to 14 March, the week before 1 to 7 March.
ORDERS = orders(
    ("1", "ann", old(10), Decimal("10.00")),
    ("2", "bob", day(2), Decimal("20.00")),
    ("3", "ann", day(3), Decimal("30.00")),
    ("4", "cat", day(5), Decimal("40.00")),
    ("5", "bob", day(9), Decimal("50.00")),
    ("6", "bob", day(10), Decimal("60.00")),
    ("7", "dan", day(14), Decimal("70.00")),
    ("8", "eve", day(15), Decimal("999.00")),
)
WORLD = {
    "orders": ORDERS,
    "returns": {
        "order_id": ["4", "1"], "customer_id": ["cat", "ann"],
        "business_date": [day(8), day(7)], "refund": [Decimal("15.00"), Decimal("5.00")],
    },
    "customers": {
        "customer_id": ["ann", "bob", "cat", "dan", "fay", "gus"],
        "joined_on": [old(10), None, day(4), None, day(6), day(12)],
    },
    "visits": {
        "customer_id": ["bob", "dan", "dan", "fay", None],
        "business_date": [day(10), day(13), day(8), day(14), day(9)],
    },
    "referrals": {
        "friend_id": ["dan", "cat", "gus", "hal"],
        "told_on": [day(13), day(5), day(11), day(12)],
        "state": ["waiting", "paid", "waiting", "refused"],
    },
    "customer_values": {
        "customer_id": ["ann", "bob", "ann", "bob"],
        "residual_value": [10.0, 20.0, 15.0, 25.0],
        "as_of": [day(7), day(7), day(14), day(14)],
    },
    "survey_answers": {
        "survey_id": ["s"] * 6, "respondent_id": ["1", "1", "2", "3", "4", "5"],
        "customer_id": ["ann", "ann", "bob", "cat", "dan", None],
        "score": [2.0, 9.0, 10.0, 7.0, 6.0, 8.0],
        "answered_at": [day(8), day(9), day(9), day(9), day(10), day(6)],
        "answered_on": [day(8), day(9), day(9), day(9), day(10), day(6)],
    },
}  # fmt: skip
BY_HAND = {
    # dan by his visit, gus by joining; fay joined the week before.
    "new_customers": (2, None, 2.0),
    # cat joined on the 4th and ordered on the 5th, fay joined on the 6th and did not.
    "activated_share": (1, 2, 0.5),
    # bob and cat ordered first in the week before; bob ordered again.
    "second_order_share": (1, 2, 0.5),
    "active_customers": (2, None, 2.0),
    # ann, bob and cat ordered in the week before, bob in this one.
    "retained_share": (1, 3, 1 / 3),
    "referred_customers": (2, None, 2.0),
    # dan and gus are new, and both were brought.
    "referred_share": (2, 2, 1.0),
    "revenue": (165, None, 165.0),
    "revenue_per_customer": (165, 2, 82.5),
    # bob came on the 10th and ordered that day; dan came on the 8th, fay did not order.
    "conversion": (2, 3, 2 / 3),
    "basket": (180, 3, 60.0),
    "lifetime_value": (40, 2, 20.0),
    # 9, 10, 7, 6: the first answer of respondent 1 was changed.
    "nps": (1, 4, 0.25),
}


def read(tables, **changed):
    return scorecard_of(tables, **({"until": UNTIL, "days": DAYS} | changed))


def test_every_indicator_is_what_can_be_counted_by_hand():
    found = read(WORLD).indicators

    told = {
        key: (one.now.numerator, one.now.denominator, pytest.approx(one.now.value))
        for key, one in found.items()
    }
    assert told == BY_HAND


def test_the_period_before_is_beside_it():
    found = read(WORLD).indicators

    assert found["active_customers"].before.value == 3
    assert found["revenue"].before.value == 20 + 30 + 40 - 5
    assert found["revenue"].change == 165 - 85
    assert found["revenue"].growth == pytest.approx(165 / 85 - 1)
    assert found["lifetime_value"].before.value == 15.0
    assert found["nps"].before.value == 0.0
    assert found["nps"].growth is None


def test_rows_add_up_to_the_number_they_explain():
    found = read(WORLD).indicators

    for key, one in found.items():
        rows = rows_of(WORLD, key, until=UNTIL, days=DAYS)
        assert sum(row["amount"] for row in rows) == one.now.numerator, key
        if one.now.denominator is not None:
            assert sum(row["weight"] for row in rows) == one.now.denominator, key


def test_rows_name_who_and_which_order():
    rows = rows_of(WORLD, "revenue", until=UNTIL, days=DAYS)

    assert [(row["customer_id"], row["order_id"], row["amount"]) for row in rows] == [
        ("bob", "5", 50), ("bob", "6", 60), ("cat", "4", -15), ("dan", "7", 70),
    ]  # fmt: skip


def test_nothing_later_than_the_last_day_is_read():
    later = WORLD | {
        "orders": orders(*zip(*ORDERS.values(), strict=True), ("9", "ann", day(20), Decimal(5)))
    }

    assert read(later).indicators == read(WORLD).indicators


@pytest.mark.parametrize(
    ("tables", "key", "why"),
    [
        ({}, "revenue", "no_table"),
        ({"orders": pa.table(ORDERS).slice(0, 0)}, "revenue", "no_rows"),
        ({"orders": pa.table(ORDERS).slice(0, 4)}, "revenue", "ended"),
        ({"orders": pa.table(ORDERS).slice(1)}, "new_customers", "begins_late"),
        ({"orders": pa.table(ORDERS).slice(4)}, "retained_share", "begins_late"),
        ({"orders": pa.table(ORDERS).slice(4)}, "revenue", "begins_late"),
        ({"orders": ORDERS}, "nps", "no_table"),
        ({"orders": ORDERS}, "activated_share", "nobody"),
    ],
)
def test_what_cannot_be_told_is_unknown_with_its_reason_and_what_to_do(tables, key, why):
    one = read(tables).indicators[key].now

    assert (one.why, one.value, one.numerator) == (why, None, None)
    assert all(len(words_in(locale)[key]["todo"]) > 10 for locale in LOCALES)
    assert rows_of(tables, key, until=UNTIL, days=DAYS) == []


def test_a_period_without_an_order_between_others_is_zero_and_not_unknown():
    quiet = orders(("1", "ann", old(1), Decimal(1)), ("2", "ann", day(30), Decimal(1)))

    found = read({"orders": quiet}, until=day(30), days=10).indicators["revenue"]

    assert (found.now.value, found.before.value, found.before.why) == (1.0, 0.0, "")


@pytest.mark.parametrize("key", ["revenue", "active_customers", "retained_share", "new_customers"])
def test_a_period_the_data_covers_in_part_is_not_compared_and_says_where_it_ends(key):
    every_day = [(str(n), "ann", date(2026, 2, 1) + timedelta(n), Decimal(10)) for n in range(31)]

    found = read({"orders": orders(*every_day)}, until=day(28), days=28)

    one = found.indicators[key]
    assert (one.now.why, one.now.data_ends) == ("", "2026-03-03")
    assert (one.before.value, one.before.data_ends) == (one.before.whole, "")
    assert (one.now.whole, one.change, one.growth) == (None, None, None)
    assert found.indicators["revenue"].now.value == 30
    assert found.indicators["revenue"].before.value == 280


def test_an_average_of_what_there_is_is_compared_though_the_data_ends_early():
    early = orders(("1", "ann", day(2), Decimal(10)), ("2", "ann", day(9), Decimal(20)))

    basket = read({"orders": early}).indicators["basket"]

    assert (basket.now.data_ends, basket.growth) == ("", 1.0)


def test_the_health_index_leaves_out_what_the_data_covers_in_part():
    came = {"customer_id": ["bob", "bob", "dan"], "business_date": [day(2), day(9), day(14)]}
    early = {name: column[:2] for name, column in came.items()}

    whole, cut = (read(WORLD | {"visits": visits}) for visits in (came, early))

    assert "conversion" in whole.index.parts
    assert cut.indicators["conversion"].now.data_ends == "2026-03-09"
    assert "conversion" in cut.index.missing


def test_health_halved_in_one_part_and_doubled_in_another_is_as_before():
    found = health_index({"basket": 5.0, "conversion": 0.4}, {"basket": 10.0, "conversion": 0.2})

    assert found.value == pytest.approx(100.0)
    assert found.missing == ("lifetime_value", "nps")


def test_health_of_nothing_known_is_unknown():
    assert health_index({}, {}).value is None


def test_health_that_fell_to_nothing_is_zero_and_not_left_out():
    no_orders = health_index({"basket": 9.0, "conversion": 0.0}, {"basket": 9.0, "conversion": 0.2})
    all_angry = health_index({"basket": 9.0, "nps": -1.0}, {"basket": 9.0, "nps": 0.3})

    assert (no_orders.value, no_orders.missing) == (0.0, ("lifetime_value", "nps"))
    assert (all_angry.value, all_angry.parts["nps"]) == (0.0, 0.0)
    assert health_index({"basket": 0.0}, {"basket": 3.0}).value == 0.0


def test_health_that_was_zero_before_is_named_apart_from_what_is_unknown():
    found = health_index({"basket": 9.0, "conversion": 0.1}, {"basket": 9.0, "conversion": 0.0})

    assert found.value == pytest.approx(100.0)
    assert (found.from_zero, found.missing) == (("conversion",), ("lifetime_value", "nps"))


def test_every_indicator_has_all_words_in_both_languages():
    keys = {"name", "says", "numerator", "denominator", "window", "todo"}

    for locale in LOCALES:
        assert list(words_in(locale)) == list(INDICATORS)
        for key, words in words_in(locale).items():
            assert set(words) == keys
            assert bool(words["denominator"]) == INDICATORS[key].is_ratio
            assert all(words[name] for name in keys - {"denominator"})


def test_a_wrong_ask_says_what_is_wanted():
    with pytest.raises(InputError, match="days is 0, must be 1 to 366"):
        read(WORLD, days=0)
    with pytest.raises(UnknownName, match="no indicator named 'sales'; known: activated_share"):
        rows_of(WORLD, "sales", until=UNTIL)


def test_the_grocers_figures_are_those_of_an_independent_count():
    """Complete Journey, weeks 37 to 40 against 33 to 36: sets and sums over the raw lines."""
    [path] = [one for one in complete_journey.files() if one.stem == "transactions"]
    lines = pq.read_table(path, columns=["household_id", "basket_id", "week", "sales_value"])
    found = scorecard_of(
        {"orders": grocer_orders(lines)}, until=complete_journey.last_day(40), days=28
    ).indicators

    who, basket, week, paid = (column.to_pylist() for column in lines.itercolumns())
    weeks_of, week_of_basket, cents = defaultdict(set), {}, Counter()
    for one, order, number, value in zip(who, basket, week, paid, strict=True):
        weeks_of[one].add(number)
        week_of_basket[order] = number
        if 33 <= number <= 40:
            cents[number] += round(value * 100)
    now, before = set(range(37, 41)), set(range(33, 37))
    baskets = sum(number in now for number in week_of_basket.values())
    sales = sum(cents[number] for number in now)
    active = {one for one, weeks in weeks_of.items() if weeks & now}
    earlier = {one for one, weeks in weeks_of.items() if weeks & before}
    assert found["new_customers"].now.value == sum(min(w) in now for w in weeks_of.values())
    assert found["active_customers"].now.value == len(active)
    assert found["active_customers"].before.value == len(earlier)
    assert found["retained_share"].now.value == len(active & earlier) / len(earlier)
    assert found["revenue"].now.numerator == Decimal(sales) / 100
    assert found["revenue"].before.numerator == Decimal(sum(cents[n] for n in before)) / 100
    assert found["basket"].now.denominator == baskets
    assert found["basket"].now.value == pytest.approx(sales / 100 / baskets, rel=1e-12)
    assert found["revenue_per_customer"].now.value == pytest.approx(sales / 100 / len(active))
    assert found["revenue"].now.value > 300_000
    assert found["nps"].now.why == "no_table"


def grocer_orders(lines):
    """One row per basket; the day is the last of its week, since timestamps are shifted."""
    days = pa.array([complete_journey.last_day(number) for number in range(54)])
    made = lines.group_by(["basket_id", "household_id", "week"]).aggregate([("sales_value", "sum")])
    total = pc.round(made["sales_value_sum"], 2).cast(pa.decimal128(18, 2))
    return pa.table({
        "order_id": made["basket_id"].cast(pa.string()),
        "customer_id": made["household_id"].cast(pa.string()),
        "business_date": days.take(made["week"].combine_chunks()),
        "total": total,
    })
