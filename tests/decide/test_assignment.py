"""Assignment to variants: fair, stable, apart where asked."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.assignment import (
    OUTSIDE,
    Experiment,
    assign,
    factor_grid,
    held_out,
    require_layers,
    switchback_schedule,
)
from regulars.errors import InputError
from regulars.measure.experiments import check_sample_ratio
from regulars.numerics.hashing import keys_of

KEYS = keys_of([f"customer {n}" for n in range(50_000)])


def test_shares_are_met_as_chance_allows():
    found = assign(KEYS, Experiment("e", ("a", "b", "c"), (0.5, 0.3, 0.2)), seed=7)
    counts = np.bincount(found, minlength=3).tolist()

    assert not check_sample_ratio(counts, [0.5, 0.3, 0.2]).mismatch


def test_experiments_of_one_layer_never_meet_and_those_of_two_are_independent():
    one = assign(KEYS, Experiment("one", layer="x", last=0.5), seed=7)
    two = assign(KEYS, Experiment("two", layer="x", first=0.5), seed=7)
    other = assign(KEYS, Experiment("other", layer="y"), seed=7)

    assert not ((one != OUTSIDE) & (two != OUTSIDE)).any()
    inside = one != OUTSIDE
    table = np.array([[((one == i) & (other == j)).sum() for j in (0, 1)] for i in (0, 1)])
    assert inside.sum() == table.sum()
    assert abs(np.corrcoef(one[inside], other[inside])[0, 1]) < 0.02


def test_widening_a_slice_keeps_everybody_in_their_variant():
    narrow = assign(KEYS, Experiment("e", last=0.1), seed=7)
    wide = assign(KEYS, Experiment("e", last=0.6), seed=7)

    assert (wide[narrow != OUTSIDE] == narrow[narrow != OUTSIDE]).all()


def test_whoever_is_held_out_takes_part_in_nothing():
    out = held_out(KEYS, seed=7, purpose="global", share=0.05)

    assert (assign(KEYS, Experiment("e"), seed=7, held_out=out)[out] == OUTSIDE).all()


def test_slices_that_overlap_within_a_layer_are_refused():
    with pytest.raises(InputError, match="overlap in layer default"):
        require_layers([Experiment("a", last=0.6), Experiment("b", first=0.5)])
    require_layers([Experiment("a", last=0.5), Experiment("b", first=0.5)])


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_a_reduced_grid_covers_every_pair_of_levels(sizes):
    levels = {f"f{n}": [f"l{k}" for k in range(size)] for n, size in enumerate(sizes)}
    whole = factor_grid(levels)
    two_largest = sorted(sizes)[-2:]
    try:
        found = factor_grid(levels, most=max(2 * two_largest[0] * two_largest[1], 1))
    except InputError:
        return

    def pairs(grid):
        return {(a, v[a], b, v[b]) for v in grid for a, b in combinations(levels, 2)}

    assert pairs(found) == pairs(whole)
    assert len({tuple(v.items()) for v in found}) == len(found)


def test_combinations_that_may_not_go_out_are_left_out():
    grid = factor_grid({"a": "xy", "b": "12"}, allowed=lambda v: v != {"a": "y", "b": "2"})

    assert len(grid) == 3


def test_every_store_is_treated_in_half_of_its_blocks_and_not_in_step():
    schedule = switchback_schedule(
        [f"s{n}" for n in range(200)], 28, seed=7, experiment_id="lights", block=2
    )

    assert (schedule.sum(axis=1) == 14).all()
    assert Counter(schedule[:, 0].tolist())[True] == pytest.approx(100, abs=30)
    assert (schedule[:, ::2] == schedule[:, 1::2]).all()
