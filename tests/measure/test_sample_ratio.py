"""The split check, against published p-values and against chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.measure.experiments import check_sample_ratio

HALF = [0.5, 0.5]


@pytest.mark.parametrize(
    ("counts", "p_value"), [([500, 600], 0.00256883), ([10000, 9700], 0.03256453)]
)
def test_published_chi_squared_p_values_are_met(counts, p_value):
    assert check_sample_ratio(counts, HALF).p_value == pytest.approx(p_value, abs=1e-8)


def test_a_small_group_is_judged_exactly():
    check = check_sample_ratio([12, 8], [0.9, 0.1])

    assert check.p_value == pytest.approx(0.00041563501884547615, rel=1e-9)
    assert check.mismatch


@given(seen=st.integers(1, 3000), share=st.floats(0.01, 0.99), part=st.floats(0, 1))
def test_a_p_value_is_a_probability_and_the_order_of_groups_does_not_matter(seen, share, part):
    one = round(seen * part)

    check = check_sample_ratio([seen - one, one], [1 - share, share])

    assert 0 <= check.p_value <= 1
    other = check_sample_ratio([one, seen - one], [share, 1 - share])
    assert other.p_value == pytest.approx(check.p_value, abs=1e-9)


@pytest.mark.parametrize("chosen", [30, 150, 2000])
def test_sound_holdouts_of_any_size_are_rarely_called_unsound(chosen):
    random = np.random.default_rng(3)
    held = random.binomial(chosen, 0.1, 4000)

    alarms = sum(
        check_sample_ratio([chosen - h, h], [0.9, 0.1], alpha=0.01).mismatch for h in held.tolist()
    )

    assert alarms <= 4000 * 0.01 * 1.5


def test_a_holdout_that_lost_a_third_of_its_customers_is_found():
    assert check_sample_ratio([9000, 670], [0.9, 0.1]).mismatch


@pytest.mark.parametrize(
    ("counts", "design", "hint"),
    [
        ([1], HALF, "same two or more groups"),
        ([1, 1], [50, 50], "sum to 1"),
        ([1, 1], [1, 0], "above 0"),
        ([0, 0], HALF, "at least one"),
    ],
    ids=["groups differ", "counts instead of shares", "an empty share", "nobody seen"],
)
def test_a_bad_design_says_what_to_do(counts, design, hint):
    with pytest.raises(InputError, match=hint):
        check_sample_ratio(counts, design)
