"""Assignment under budget, stock and capacity: against brute force, HiGHS and its own promises."""

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, kron, vstack

from regulars.decide.budget import assign, assign_table
from regulars.decide.budget.assigning import rounding
from regulars.errors import InputError, UnknownName


def cost_of(costs, choice):
    full = np.broadcast_to(costs, (len(choice), np.shape(costs)[-1]))
    return sum(float(full[i, a]) for i, a in enumerate(choice) if a >= 0)


def best_by_brute_force(values, costs, budget, stock):
    customers, actions = values.shape
    best = 0.0
    for picks in product(range(-1, actions), repeat=customers):
        if cost_of(costs, picks) <= budget and picks.count(0) <= stock:
            best = max(best, sum(values[c, a] for c, a in enumerate(picks) if a >= 0))
    return best


def linear_bound(values, costs, budget, stock, capacity):
    """The best fractional assignment, by HiGHS; even actions go by one channel."""
    customers, actions = values.shape
    each = kron(eye_array(customers), np.ones((1, actions)))
    money = csr_array(np.ravel(costs)[None])
    offers = kron(np.ones((1, customers)), eye_array(actions))
    even = kron(np.ones((1, customers)), (np.arange(actions) % 2 == 0)[None].astype(float))
    found = linprog(
        -values.ravel(),
        A_ub=vstack([each, money, offers, even]).tocsr(),
        b_ub=np.concatenate([np.ones(customers), [budget], np.full(actions, stock), [capacity]]),
        bounds=(0, 1),
        method="highs",
    )
    return -found.fun


def drawn(seed, customers, actions):
    random = np.random.default_rng(seed)
    values = random.gamma(1, 3, (customers, actions)) * random.lognormal(0, 1, (customers, 1)) - 1
    return values, random.uniform(0.05, 3, actions) * random.uniform(0.5, 1.5, values.shape)


def short_of_everything(values, costs, size):
    actions = values.shape[1]
    return assign(
        values,
        costs,
        budget=0.3 * size,
        stock=dict.fromkeys(range(actions), 0.05 * size),
        capacity={"even": 0.2 * size},
        channels=["even", "odd"] * (actions // 2),
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_choice_of_six_customers_is_worth_more(seed):
    random = np.random.default_rng(seed)
    values, costs = random.normal(1, 2, (6, 2)), random.uniform(0.5, 2, 2)

    found = assign(values, costs, budget=4.0, stock={0: 2})

    assert found.value == pytest.approx(best_by_brute_force(values, costs, 4.0, 2))


def test_the_gap_to_the_linear_optimum_of_highs_is_under_a_thousandth():
    values, costs = drawn(3, 2_000, 6)

    found = short_of_everything(values, costs, 2_000)

    best = linear_bound(values, costs, 600.0, 100, 400)
    assert found.bound == pytest.approx(best, rel=1e-5)
    assert 0.999 * best <= found.value <= best * (1 + 1e-9)


def test_with_many_customers_a_sample_prices_them_all_and_the_bound_says_how_well():
    values, costs = drawn(5, 60_000, 10)

    found = short_of_everything(values, costs, 60_000)

    assert found.gap < 1e-4
    assert found.value == pytest.approx(
        values[found.choice >= 0, found.choice[found.choice >= 0]].sum()
    )


@pytest.mark.parametrize("size", [500, 30_000])
def test_customers_alike_to_the_last_digit_share_what_there_is(size):
    values, costs = np.tile([1.0, 1.6, 2.1], (size, 1)), np.array([1.0, 2.0, 3.0])

    found = assign(values, costs, budget=1.5 * size, stock={0: 0.6 * size})

    by_hand = 0.5 * 1.0 + 0.5 * 1.6
    assert found.value == pytest.approx(by_hand * size, rel=1e-3)
    assert found.gap < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(0, 30),
    st.integers(1, 60),
    st.integers(1, 4),
    st.integers(0, 9),
)
def test_no_limit_is_ever_passed_and_no_loss_is_chosen(seed, budget, customers, actions, most):
    random = np.random.default_rng(seed)
    values = np.round(random.normal(0, 1, (customers, actions)), 1)
    costs = np.round(random.uniform(0, 3, (customers, actions)), 1)
    ways = ["a", "b", "a", "b"][:actions]

    found = assign(
        values, costs, budget=budget, stock={0: most}, capacity={"a": most + 1}, channels=ways
    )

    chosen = found.choice.tolist()
    assert cost_of(costs, chosen) <= budget + 1e-9
    assert found.spend <= budget
    assert chosen.count(0) <= most
    assert sum(ways[a] == "a" for a in chosen if a >= 0) <= most + 1
    assert all(values[c, a] > 0 for c, a in enumerate(chosen) if a >= 0)
    assert found.value <= found.bound + 1e-9


def test_a_choice_that_is_not_undone_would_pass_the_limits(monkeypatch):
    values, costs = np.ones((1_000, 1)) + np.arange(1_000)[:, None] * 1e-9, np.array([1.0])
    monkeypatch.setattr(rounding, "_GOLDEN", 0.0)
    monkeypatch.setattr(rounding, "_undo", lambda _problem, choice, _prices: choice)

    found = assign(values, costs, budget=300.5)

    assert found.spend > 300.5


def test_the_order_of_rows_and_a_second_call_change_nothing():
    random = np.random.default_rng(8)
    ids = np.repeat([f"c{i:03d}" for i in range(200)], 2)
    columns = {
        "customer_id": ids,
        "offer_id": np.tile(["news", "ten"], 200),
        "channel": np.tile(["email", "sms"], 200),
        "value": np.round(random.gamma(1, 3, 400), 1),
        "cost": np.tile([0.1, 1.0], 200),
    }
    mixed = random.permutation(400)

    found = assign_table(columns, budget=40.0, capacity={"sms": 30})

    again = assign_table(
        {k: v[mixed] for k, v in columns.items()}, budget=40.0, capacity={"sms": 30}
    )
    assert found.rows == again.rows
    assert found.rows["cost"].to_pylist() == pytest.approx([
        0.1 if o == "news" else 1.0 for o in found.rows["offer_id"].to_pylist()
    ])


def test_frames_and_arrow_tables_are_taken_alike():
    table = pa.table({
        "customer_id": ["b", "a"],
        "offer_id": ["x", "x"],
        "value": [1, 2],
        "cost": [1, 1],
    })

    found = [assign_table(one, budget=1).rows for one in (table, table.to_pandas())]

    assert found[0] == found[1]
    assert found[0]["customer_id"].to_pylist() == ["a"]


def test_without_limits_everybody_gets_the_best_and_nothing_has_a_price():
    found = assign([[1.0, 2.0], [-1.0, -np.inf]], [1.0, 9.0])

    assert found.choice.tolist() == [1, -1]
    assert (found.shadow_price, found.gap) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"values": [[np.nan]], "costs": [1.0]}, "nan"),
        ({"values": [[1.0]], "costs": [-1.0]}, "negative"),
        ({"values": [[1.0]], "costs": [1.0, 2.0]}, "shape"),
        ({"values": [[1.0]], "costs": [1.0], "budget": -1.0}, "budget is -1"),
        ({"values": [1.0], "costs": [1.0]}, "dimensions"),
        ({"values": [[1.0]], "costs": [1.0], "channels": ["a", "b"]}, "names"),
    ],
)
def test_wrong_input_is_refused_with_what_is_wanted(given, says):
    with pytest.raises(InputError, match=says):
        assign(**given)


def test_a_limit_on_something_unknown_names_what_there_is():
    with pytest.raises(UnknownName, match="carrier pigeon"):
        assign([[1.0]], [1.0], capacity={"carrier pigeon": 1}, channels=["sms"])


def test_a_customer_with_an_action_twice_is_refused():
    table = {"customer_id": ["a", "a"], "offer_id": ["x", "x"], "value": [1, 2], "cost": [1, 1]}

    with pytest.raises(InputError, match="1 rows repeat"):
        assign_table(table)
