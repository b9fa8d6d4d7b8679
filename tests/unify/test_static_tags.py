"""Static tags: what is said where, what survives, and what is shown."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.unify.profiles.declared.static_tags import STATIC_TAGS, age_group, finished
from regulars.unify.profiles.declared.visits import visits_of
from regulars.unify.profiles.online.reading import survivors


def test_a_name_is_never_shown_whole():
    token = "tok_name_" + "0" * 32

    assert finished([("name", "王小明")], date(2026, 1, 1)) == {"name": "王**"}
    assert finished([("name", token)], date(2026, 1, 1)) == {"name": "***"}


def test_a_customer_grows_older_without_a_new_event():
    assert age_group("1990-05-04", date(2025, 5, 3)) == "25-34"
    assert age_group("1990-05-04", date(2025, 5, 4)) == "35-44"


@given(st.dates(date(1930, 1, 1), date(2020, 1, 1)), st.integers(0, 2000))
def test_every_birthday_has_one_band_and_the_band_never_falls(born, days):
    bands = ["0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"]
    first = age_group(born.isoformat(), date(2020, 1, 1))
    later = age_group(born.isoformat(), date(2020, 1, 1) + timedelta(days=days))

    assert bands.index(first) <= bands.index(later)


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1))
def test_visits_of_two_devices_are_those_of_the_hours_together(one, other):
    hours = [bool((one | other) >> hour & 1) for hour in range(24)]
    expected = sum(now and not before for before, now in zip([False, *hours], hours, strict=False))

    assert visits_of(one | other) == expected


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_saying_survives_and_the_first_source(order):
    said = [
        ("city", "Wuhan", 10, "a"),
        ("city", "Beijing", 20, "a"),
        ("acquisition_source", "douyin", -10, "a"),
        ("acquisition_source", "weibo", -20, "a"),
    ]

    assert survivors(said[::order]) == {"city": "Beijing", "acquisition_source": "douyin"}


def test_names_of_tags_are_different():
    assert len({tag.name for tag in STATIC_TAGS}) == len(STATIC_TAGS)
