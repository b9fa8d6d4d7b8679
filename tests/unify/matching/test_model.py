"""The model against known truth, and the level marks Splink carries for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regulars.unify.matching.pairs.blocking import choose_rules, pack, pairs_allowed, unpack
from regulars.unify.matching.pairs.comparisons import Comparison, Level, Shared
from regulars.unify.matching.pairs.mixture import Sample, fit, judged
from regulars.unify.matching.pairs.scoring import _level_in, _marked
from regulars.unify.matching.pairs.threshold import choose_threshold

YES_NO = (Level("same", "x"), Level("different", "ELSE"))
FIELDS = (
    Comparison("name", "", YES_NO),
    Comparison("birth_date", "", YES_NO),
    Comparison("phone", "", YES_NO, Shared.HOUSEHOLD),
    Comparison("address", "", YES_NO, Shared.HOUSEHOLD),
)
M, U, H = (0.9, 0.85, 0.8, 0.9), (0.01, 0.005, 0.002, 0.003), (0.01, 0.005, 0.7, 0.95)


def drawn(seed=4, matches=4_000, homes=6_000, strangers=490_000, records=1_000):
    """Codes of all pairs of some records with their truth, and of pairs drawn from them."""
    rng = np.random.default_rng(seed)

    def codes(shares, count):
        return (rng.random((count, 4)) < shares).astype(np.uint8) + 1

    blocked = np.vstack([codes(M, matches), codes(H, homes), codes(U, strangers)])
    random = blocked[rng.integers(0, len(blocked), 400_000)]
    by_field = lambda rows: {c.field: rows[:, n] for n, c in enumerate(FIELDS)}  # noqa: E731
    truth = np.arange(len(blocked)) < matches
    return Sample(by_field(blocked), {}, {}, 1.0, by_field(random), records), truth


def test_the_model_finds_the_shares_the_pairs_were_drawn_with():
    sample, truth = drawn()

    model = fit(FIELDS, sample)

    learned = [model.fields[c.field].m[-1] for c in FIELDS]
    assert learned == pytest.approx(M, abs=0.03)
    assert model.match_share * sample.all_pairs == pytest.approx(4_000, rel=0.05)
    assert model.household_share * sample.all_pairs == pytest.approx(6_000, rel=0.35)
    p = judged(FIELDS, sample, model)
    assert p.sum() == pytest.approx(truth.sum(), rel=0.05)
    assert np.mean(p[truth]) > 0.94


def test_two_people_of_a_household_would_be_merged_without_the_third_class():
    sample, truth = drawn()
    everyone = tuple(Comparison(c.field, "", YES_NO) for c in FIELDS)

    with_homes = judged(FIELDS, sample, fit(FIELDS, sample))
    without = judged(everyone, sample, fit(everyone, sample))

    assert with_homes[~truth].sum() < 0.1 * without[~truth].sum()


@given(arrays(float, st.integers(1, 30), elements=st.floats(-60, 60)))
def test_the_level_is_read_back_from_every_weight(weights):
    found = _level_in(_marked(weights))

    assert found.tolist() == list(range(1, len(weights) + 1))


@given(arrays(float, st.integers(1, 200), elements=st.floats(0, 1)), st.floats(0.5, 1))
def test_links_above_the_threshold_keep_the_precision_asked_for(probabilities, precision):
    found = choose_threshold(probabilities, precision=precision)

    linked = probabilities[probabilities >= found.probability]
    assert found.expected_precision >= precision - 1e-12
    assert not len(linked) or linked.mean() >= min(precision, 1 - 1e-12) - 1e-9
    assert found.probability >= 0.5


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"),
        st.dictionaries(st.integers(2, 3_000), st.integers(1, 2_000), max_size=6),
        max_size=8,
    ),
    st.integers(10, 2_000_000),
)
def test_rules_never_take_more_pairs_than_are_allowed(blocks, records):
    sizes = {
        name: (np.array(sorted(found)), np.array([found[size] for size in sorted(found)]))
        for name, found in blocks.items()
    }

    rules = choose_rules(
        {n: (s.astype(np.int64), b.astype(np.int64)) for n, (s, b) in sizes.items()}, records
    )

    assert sum(rule.pairs for rule in rules) <= pairs_allowed(records)


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), min_size=1))
def test_packed_pairs_unpack_smaller_first(pairs):
    left, right = unpack(pack(*zip(*pairs, strict=True)))

    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [
        (min(pair), max(pair)) for pair in pairs
    ]
