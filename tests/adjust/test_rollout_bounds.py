"""Auto-stop arithmetic: small samples do not stop by luck, real trouble does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adjust.rollout.exact_bounds import (
    Rate,
    evidence_above,
    exact_interval,
    is_above,
)

PLANS = 2000
LEVEL = 0.95


def stopped_share(*, truth, limit, sent, stops, seed=7, looks=40):
    """Share of campaigns stopped at any of many looks, when contacts go wrong at rate `truth`."""
    rng = np.random.default_rng(seed)
    sizes = np.unique(np.geomspace(10, sent, looks).astype(int))
    hits = np.cumsum(rng.random((PLANS, sent)) < truth, axis=1)[:, sizes - 1]
    return np.mean([
        any(stops(Rate(int(h), int(n))) for h, n in zip(row, sizes, strict=True)) for row in hits
    ])


def by_evidence(limit):
    return lambda rate: is_above(rate, limit, level=LEVEL)


def by_interval(limit):
    return lambda rate: exact_interval(rate, level=2 * LEVEL - 1)[0] > limit


def by_share(limit):
    return lambda rate: rate.share > limit


@pytest.mark.parametrize(
    ("hits", "tried", "low", "high"),
    [(4, 20, 0.0573, 0.4366), (0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0)],
)
def test_intervals_are_those_of_clopper_and_pearson(hits, tried, low, high):
    found = exact_interval(Rate(hits, tried), level=0.95)

    assert found == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("limit", [0.05, 0.02])
def test_a_campaign_at_its_limit_is_hardly_ever_stopped_however_often_it_is_looked_at(limit):
    found = stopped_share(truth=limit, limit=limit, sent=1500, stops=by_evidence(limit))

    assert found <= 1 - LEVEL + 3 * np.sqrt(0.05 * 0.95 / PLANS)


@pytest.mark.parametrize("stops", [by_share, by_interval], ids=["share alone", "bound each look"])
def test_rules_that_forget_chance_or_looks_would_be_caught(stops):
    found = stopped_share(truth=0.05, limit=0.05, sent=1500, stops=stops(0.05))

    assert found > 1 - LEVEL + 3 * np.sqrt(0.05 * 0.95 / PLANS)


@pytest.mark.parametrize(("times", "sent"), [(2, 800), (3, 300), (5, 150)])
def test_a_campaign_well_above_its_limit_is_stopped_soon(times, sent):
    found = stopped_share(truth=0.05 * times, limit=0.05, sent=sent, stops=by_evidence(0.05))

    assert found > 0.95


@pytest.mark.parametrize(
    ("hits", "tried", "is_stopped"),
    [(0, 0, False), (1, 1, False), (1, 10, False), (2, 20, False), (8, 20, True), (5, 5, True)],
)
def test_one_mishap_stops_nothing_and_a_row_of_them_does(hits, tried, is_stopped):
    assert is_above(Rate(hits, tried), 0.05, level=0.99) == is_stopped


def test_three_complaints_among_a_hundred_stop_and_one_does_not():
    assert is_above(Rate(3, 100), 0.001, level=0.99)
    assert not is_above(Rate(1, 100), 0.001, level=0.99)


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.0005, 0.5))
def test_one_more_mishap_is_never_less_evidence_and_one_more_good_contact_never_more(
    hits, misses, limit
):
    now = evidence_above(Rate(hits, hits + misses), limit)

    assert evidence_above(Rate(hits + 1, hits + misses + 1), limit) >= now
    assert evidence_above(Rate(hits, hits + misses + 1), limit) <= now


@given(st.integers(1, 10**7), st.floats(0.0005, 0.5))
def test_evidence_stays_a_number_at_any_size(tried, limit):
    assert 0 <= evidence_above(Rate(tried, tried), limit) < np.inf
    assert 0 <= evidence_above(Rate(0, tried), limit) <= 1
