"""The twelve indicators of customer value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.understand.value import INDICATORS, referral_value, value_indicators


def test_there_are_twelve_and_what_nobody_has_is_named_not_made_up():
    found = value_indicators({name: [1.0, 2.0] for name in list(INDICATORS)[:11]})

    assert len(INDICATORS) == 12
    assert found.missing == ("sentiment",)
    assert np.isnan(found.values[:, 11]).all()
    assert found.known.tolist() == [11, 11]


def test_a_customer_is_scored_by_what_is_known_of_him():
    found = value_indicators({
        "spend": [10.0, 20.0, np.nan, np.nan],
        "sentiment": [0.5, -0.5, 0.9, np.nan],
        "recency_days": [30.0, 3.0, 300.0, np.nan],
    })

    # spend 1/2 and 1, sentiment 2/3, 1/3 and 1, recency 2/3, 1 and 1/3
    assert found.score[:3] == pytest.approx([61.1111, 77.7778, 66.6667], abs=1e-3)
    assert np.isnan(found.score[3])
    assert list(found.to_frame().columns) == [*INDICATORS, "score", "known"]


def test_who_brings_in_good_customers_is_worth_more():
    value = referral_value(
        ["a", "b", "c", "d"], ["a", "a", "b", "c", "z"], ["b", "c", "c", "c", "d"], [5, 10, 40, 80]
    )

    assert value.tolist() == [50.0, 0.0, 0.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_ranks_keep_the_order_and_less_silence_is_better(values):
    found = value_indicators({"spend": values, "recency_days": values})

    order = np.argsort(values, kind="stable")
    assert (np.diff(found.ranks[order, 2]) >= 0).all()
    assert (np.diff(found.ranks[order, 0]) <= 0).all()
    assert ((found.score >= 0) & (found.score <= 100)).all()


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: value_indicators({"karma": [1.0]}), "karma"),
        (lambda: value_indicators({}), "nothing given"),
        (lambda: value_indicators({"spend": [1.0], "orders": [1.0, 2.0]}), "one number per"),
        (lambda: referral_value(["a"], [], [], [1.0, 2.0]), "one each"),
    ],
)
def test_what_is_no_indicator_is_refused(call, hint):
    with pytest.raises(InputError, match=hint):
        call()
