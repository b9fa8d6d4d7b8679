"""Allocation of a budget, against brute force and its own promises."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.decide.budget import allocate
from regulars.errors import InputError


def best_by_brute_force(values, costs, budget):
    customers, actions = values.shape
    best = 0.0
    for picks in product(range(-1, actions), repeat=customers):
        taken = [(c, a) for c, a in enumerate(picks) if a >= 0]
        if sum(costs[a] for _, a in taken) <= budget + 1e-9:
            best = max(best, sum(values[c, a] for c, a in taken))
    return best


def worth(values, found):
    return sum(values[c, a] for c, a in enumerate(found.choice) if a >= 0)


@pytest.mark.parametrize("seed", range(20))
def test_no_choice_of_six_customers_is_worth_more_than_one_item_above_ours(seed):
    random = np.random.default_rng(seed)
    values, costs = random.normal(1, 2, (6, 2)), np.array([1.0, 2.0])

    found = allocate(values, costs, budget=5.0)

    assert worth(values, found) >= best_by_brute_force(values, costs, 5.0) - values.max()
    assert found.spend <= 5.0


def test_with_many_customers_the_gap_to_the_linear_bound_is_under_a_thousandth():
    random = np.random.default_rng(1)
    values, costs = random.gamma(2, 2, (20_000, 6)) - 2, random.uniform(0.5, 2, 6)
    budget = 4_000.0

    found = allocate(values, costs, budget=budget)

    net = np.maximum((values - found.shadow_price * costs).max(axis=1), 0).sum()
    bound = net + found.shadow_price * budget
    assert worth(values, found) >= 0.999 * bound


@given(st.integers(0, 10_000), st.floats(0, 30), st.integers(1, 30), st.integers(1, 4))
def test_the_budget_is_never_exceeded_and_no_loss_is_chosen(seed, budget, customers, actions):
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, (customers, actions))

    found = allocate(values, random.uniform(0.1, 3, actions), budget=budget)

    assert found.spend <= budget + 1e-9
    assert all(values[c, a] > 0 for c, a in enumerate(found.choice) if a >= 0)


def test_a_free_contact_is_refused_because_it_would_never_end():
    with pytest.raises(InputError, match="above 0"):
        allocate(np.ones((1, 1)), np.zeros(1), budget=1.0)
