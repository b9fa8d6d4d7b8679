"""One definition, two speeds: the batch and the states kept day by day say the same."""

from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.numerics.days import day_number
from regulars.unify.profiles.declared.folds import window
from regulars.unify.profiles.declared.indicators import INDICATORS, finish
from regulars.unify.profiles.local_time import clock_changes
from regulars.unify.profiles.profile import (
    merge_states,
    parts_of_states,
    start_state,
    update_state,
)
from regulars.unify.profiles.service import customers_of, open_facts, parts_as_of
from regulars.unify.profiles.tables import daily_tables

ZONE = "America/New_York"


def batch(engine, as_of):
    """Finish the batch form of every fold."""
    facts = open_facts(engine, aliases={})
    customers = customers_of(engine, facts, as_of=as_of)
    parts = parts_as_of(engine, facts, customers, as_of=as_of, zone=ZONE, margin_rate=0.25)
    return customers, parts


def events(engine, as_of):
    """Give the daily aggregates as they come in: day by day, in order."""
    daily = daily_tables(open_facts(engine, aliases={}), zone=ZONE, as_of=as_of)
    rows = [
        (row["day"], source, row) for source, days in daily.items() for row in engine.rows(days)
    ]
    return sorted(rows, key=itemgetter(0, 1))


def online(customers, parts, found, as_of):
    """Finish states kept day by day."""
    ids = customers.column("customer_id").to_pylist()
    states = [found.get(name, start_state()) for name in ids]
    return finish(
        parts_of_states(
            states,
            as_of=day_number(as_of),
            joined_day=parts.joined_day,
            history_day=parts.history_day,
            margin_rate=0.25,
        )
    )


def same(one, other):
    for name in one:
        if one[name].dtype == object:
            assert one[name].tolist() == other[name].tolist(), name
        else:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_states_kept_day_by_day_say_what_the_batch_says(open_shop, random_facts, seed):
    engine, as_of = open_shop(random_facts(seed)), date(2017, 10, 20 + seed)
    customers, parts = batch(engine, as_of)
    states = {}
    for _, source, row in events(engine, as_of):
        customer = row["customer_id"]
        states[customer] = update_state(states.get(customer, start_state()), source, row)

    assert len(INDICATORS) == 42
    same(finish(parts), online(customers, parts, states, as_of))


def test_two_stretches_of_time_merge_into_the_whole(open_shop, random_facts):
    engine, as_of, cut = open_shop(random_facts(4)), date(2017, 11, 20), date(2017, 8, 30)
    customers, parts = batch(engine, as_of)
    halves = ({}, {})
    for day, source, row in events(engine, as_of):
        half = halves[day > day_number(cut)]
        customer = row["customer_id"]
        half[customer] = update_state(half.get(customer, start_state()), source, row)
    merged = {
        customer: merge_states(
            halves[0].get(customer, start_state()), halves[1].get(customer, start_state())
        )
        for customer in halves[0] | halves[1]
    }

    assert len(halves[0]) > 5
    assert len(halves[1]) > 5
    same(finish(parts), online(customers, parts, merged, as_of))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9)), max_size=30))
def test_a_window_counts_the_days_inside_it_and_no_others(days):
    fold = window("w", "days", "n", 30, 60)
    state = fold.start
    for day, amount in sorted(days):
        state = fold.update(state, day, amount)

    expected = sum(amount for day, amount in days if 30 <= 400 - day < 60)

    assert fold.read(state, 400) == expected
    assert fold.read(state, 1000) == 0


@given(
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]),
    st.datetimes(datetime(2005, 1, 1), datetime(2023, 12, 31)),
)
def test_clock_changes_agree_with_the_zone_database(zone, moment):
    moment = moment.replace(tzinfo=UTC)

    changes = clock_changes(zone, until=date(2023, 12, 31))
    seconds = next(s for begin, s in changes if moment >= begin)

    assert timedelta(seconds=seconds) == moment.astimezone(ZoneInfo(zone)).utcoffset()
