import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regulars.understand.segments.rfm import PROSPECTS, SEGMENTS, fifths, score_rfm, segment_names


def score(rows):
    recency, orders, monetary = np.array(rows, dtype=float).T
    return score_rfm(recency, orders, monetary)


def test_the_best_of_ten_scores_five_on_every_count():
    rows = [(10 * n + 1, 20 - n, 500.0 - 10 * n) for n in range(10)]

    found = score(rows)

    assert found.recency.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert found.frequency.tolist() == found.monetary.tolist() == found.recency.tolist()
    assert found.segment[0] == "champions"
    assert found.segment[-1] == "hibernating"


def test_a_customer_without_an_order_is_a_prospect_and_takes_no_place():
    buyers = [(10 * n + 1, 5 - n, 100.0 - n) for n in range(5)]

    found = score([*buyers, (0, 0, 0.0), (0, 0, 0.0)])

    assert found.recency.tolist() == [5, 4, 3, 2, 1, 1, 1]
    assert found.segment[5:].tolist() == [PROSPECTS, PROSPECTS]


def test_every_cell_has_a_name():
    grid = np.array([(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)])

    names = segment_names(*grid.T)

    assert set(names) <= set(SEGMENTS)
    assert set(SEGMENTS) - set(names) == {PROSPECTS}
    lost_best = (grid[:, 0] == 1) & (grid[:, 1:].sum(axis=1) >= 9)
    assert set(names[lost_best]) == {"cannot_lose"}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_fifths_are_of_equal_size_and_in_order(values):
    found = fifths(np.array(values, dtype=float))

    sizes = np.bincount(found, minlength=6)[1:]
    assert sizes.max() - sizes.min() <= 1
    for low in range(1, 5):
        below, above = np.array(values)[found <= low], np.array(values)[found > low]
        assert not below.size or not above.size or below.max() <= above.min()
