"""Scores of surveys: published numbers, and intervals that hold what they say."""

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.reach.surveys.recommending import net_promoter_score, promoter_variance
from regulars.reach.surveys.satisfaction import satisfied_share, wilson_interval


def test_the_published_example_of_a_net_promoter_score():
    """Shares 1/2, 1/3, 1/6: a score of 1/3, and a variance of 5/9 by the formula beside it."""
    found = net_promoter_score({10: 50, 9: 100, 7: 100, 6: 20, 0: 30})

    assert found.value == pytest.approx(1 / 3)
    assert promoter_variance(1 / 2, 1 / 3, 1 / 6) == pytest.approx(5 / 9)
    by_hand = (1 - 1 / 3) ** 2 / 2 + (1 / 3) ** 2 / 3 + (-1 - 1 / 3) ** 2 / 6
    assert promoter_variance(150, 100, 50) == pytest.approx(by_hand)
    wald = 1.959964 * sqrt(5 / 9 / 300)
    assert found.high - found.low == pytest.approx(2 * wald, rel=0.02)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_the_published_intervals_of_a_share(successes, trials, low, high):
    """Newcombe (1998), Table I, method 3."""
    found = wilson_interval(successes, trials)

    assert [round(end, 4) for end in found] == [low, high]


@pytest.mark.parametrize("shares", [(0.5, 1 / 3, 1 / 6), (0.8, 0.15, 0.05), (0.1, 0.2, 0.7)])
@pytest.mark.parametrize("answers", [20, 100, 500])
def test_intervals_hold_the_truth_as_often_as_they_say(shares, answers):
    draws = np.random.default_rng(7).multinomial(answers, shares, size=2_000)
    truth = shares[0] - shares[2]

    inside = [
        found.low <= truth <= found.high
        for promoters, passives, detractors in draws.tolist()
        for found in [net_promoter_score({9: promoters, 7: passives, 3: detractors})]
    ]

    assert 0.93 <= np.mean(inside) <= 0.985


def test_an_interval_without_the_added_answers_is_caught():
    """Planted: plain Wald is certain of itself when five people agree."""
    agreed = net_promoter_score({10: 5})

    assert agreed.value == 1.0
    assert agreed.low < 0.9
    assert promoter_variance(5, 0, 0) == 0.0


@given(st.dictionaries(st.integers(0, 10), st.integers(0, 1000)))
def test_a_score_lies_within_its_interval_and_bounds(counts):
    found = net_promoter_score(counts)

    if sum(counts.values()):
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert found.answers == sum(counts.values())
    else:
        assert isnan(found.value)


@given(st.dictionaries(st.integers(1, 5), st.integers(0, 1000)))
def test_a_share_lies_within_its_interval(counts):
    found = satisfied_share(counts)

    if sum(counts.values()):
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1
    else:
        assert isnan(found.value)
