"""Limits customers share: by segment, channel and offer, stock, and the budget of all."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.budget import assign
from regulars.decide.offers import Arm
from regulars.decide.policies import dropping
from regulars.decide.policies.dropping import over_limits
from regulars.decide.policies.limits import expected, limits_of
from regulars.decide.policies.sampling import Economics, sampling_policy
from regulars.decide.policies.sharing import Shares, chosen, shared_prices

N, ARMS, WORLDS = 600, 3, 8
COST = np.array([0.25, 1.05, 0.6])


def drawn(seed, worlds=1):
    """Values of three actions in a few worlds, and customers in two segments."""
    random = np.random.default_rng(seed)
    values = random.normal(0.4, 1.0, (1, N, ARMS)) + random.normal(0, 0.2, (worlds, N, ARMS))
    return values, random.integers(0, 2, N)


def shares(segment, *, least=0.0, most=np.inf, stock=np.inf, budget=1e9):
    return Shares(
        segment,
        np.broadcast_to(np.asarray(least, float), (2, ARMS)).copy(),
        np.broadcast_to(np.asarray(most, float), (2, ARMS)).copy(),
        np.array([0, 0, 1]),
        np.broadcast_to(np.asarray(stock, float), (2,)).copy(),
        budget,
    )


def used(limits, taken):
    """Money by segment and action of one choice each."""
    contacts = np.zeros((N, ARMS))
    contacts[np.flatnonzero(taken >= 0), taken[taken >= 0]] = 1.0
    return limits.by_segment(contacts * COST)


def test_without_limits_nothing_has_a_price():
    values, segment = drawn(1)

    prices = shared_prices(values, COST, shares(segment))

    assert prices.budget == 0.0
    assert not prices.cells.any()
    assert not prices.stock.any()


def test_prices_bring_what_is_wanted_to_every_limit_but_for_one_contact():
    values, segment = drawn(2)
    most = [[12.0, 20.0, 15.0], [10.0, 30.0, 9.0]]
    limits = shares(segment, most=most)

    taken = chosen(values, shared_prices(values, COST, limits).of(limits, COST))[0]

    assert (np.abs(used(limits, taken) - most) <= COST + 1e-9).all()
    assert (used(shares(segment), values[0].argmax(axis=1)) > 2 * np.array(most)).all()


def test_a_least_is_met_at_a_price_below_zero_where_few_would_be_chosen():
    values, segment = drawn(3)
    least = [[0.0, 0.0, 60.0], [0.0, 0.0, 0.0]]
    limits = shares(segment, least=least)

    prices = shared_prices(values, COST, limits)
    taken = chosen(values, prices.of(limits, COST))[0]

    assert prices.cells[0, 2] < 0
    assert used(limits, taken)[0, 2] >= 60.0 - 1e-9


def test_budget_and_stock_share_prices_as_good_as_those_of_the_exact_assignment():
    values, segment = drawn(4)
    limits = shares(segment, stock=[150.0, 80.0], budget=120.0)

    prices = shared_prices(values, COST, limits)
    taken = chosen(values, prices.of(limits, COST))[0]
    exact = assign(
        values[0], COST, budget=120.0, stock={0: 150.0, 1: 80.0}, offers=limits.offer.tolist()
    )

    worth = values[0][np.flatnonzero(taken >= 0), taken[taken >= 0]].sum()
    spend = COST[taken[taken >= 0]].sum()
    assert spend <= 120.0 + 1e-6
    assert worth >= 0.99 * exact.value
    assert prices.budget == pytest.approx(exact.shadow_price, rel=0.1)


@given(st.integers(0, 10_000), st.floats(0, 40), st.floats(0, 40), st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_what_is_drawn_never_passes_a_limit_by_a_thousand_millionth(seed, cell, budget, stock):
    values, segment = drawn(seed)
    limits = shares(segment, most=cell, stock=stock, budget=budget)
    random = np.random.default_rng(seed)
    arm, held = values[0].argmax(axis=1), random.random(N) < 0.1

    why = over_limits(limits, arm, held, COST, random.random(N))

    sent = np.where((why == "") & ~held, arm, -1)
    assert (used(limits, sent) - cell <= 1e-9).all()
    assert used(limits, sent).sum() - budget <= 1e-9
    counts = np.bincount(limits.offer[sent[sent >= 0]], minlength=2)
    assert (counts <= stock).all()


def test_a_limit_left_unkept_would_be_seen(monkeypatch):
    values, segment = drawn(5)
    limits = shares(segment, most=10.0)
    monkeypatch.setattr(dropping, "_running", lambda group, _used: np.zeros_like(group))

    why = over_limits(limits, values[0].argmax(axis=1), np.zeros(N, bool), COST, np.arange(N) / N)

    assert (used(limits, np.where(why == "", values[0].argmax(axis=1), -1)) - 10.0 > 1.0).any()


def policy_under(limits, seed=6):
    random = np.random.default_rng(seed)
    customers = random.normal(0, 1, (N, 3))
    draws = random.normal(0.1, 0.1, (WORLDS, ARMS, 3))
    money = Economics(np.full(N, 10.0), np.full(ARMS, 0.05), COST, np.zeros((N, ARMS)))
    return sampling_policy(
        customers, mean=draws.mean(axis=0), draws=draws, economics=money,
        allowed=np.ones((N, ARMS), bool), budget=limits, floor=0.02,
    )  # fmt: skip


def test_the_expected_use_of_a_policy_keeps_every_limit_exploration_included():
    segment = np.arange(N) % 2
    most = np.array([[0.0, 6.0, 3.0], [4.0, 0.5, 100.0]])
    limits = shares(segment, most=most, stock=[400.0, 30.0], budget=80.0)

    policy = policy_under(limits)

    money = limits.by_segment(policy.probabilities * COST)
    assert (money <= most + COST / WORLDS + 1e-6).all()
    assert policy.probabilities[:, 2].sum() <= 30.0 + 1 / WORLDS
    assert (policy.probabilities[segment == 0, 0] == 0.0).all()
    assert policy.probabilities.sum(axis=1).max() <= 1.0
    # The free money is used: what is full is full.
    assert money[0, 1] >= 0.8 * 6.0


def plan_row(segment, channel, offer, **changes):
    ends = {"least": 0.0, "most": 5.0, "to_spend": 60.0, "shadow_price": 0.5}
    return {"segment": segment, "channel": channel, "offer_id": offer} | ends | changes


ACTIONS = [
    Arm("news", "sms", Decimal("0.05"), Decimal("0.20")),
    Arm("ten", "sms", Decimal("0.05"), Decimal("1.00"), stock=3),
]


def test_a_turn_nothing_binds_has_its_budget_alone():
    free = limits_of([], {}, ["a", "b"], ACTIONS[:1], budget=100.0)

    assert free == 100.0
    assert expected(free, ACTIONS[:1], held_out=0.1) == pytest.approx(100.0 * 0.95 / 0.9)


def test_a_binding_plan_and_short_stock_become_limits_by_segment_and_action():
    bound = [
        plan_row("loyal", "sms", "news"),
        plan_row("unscored", "sms", "ten", least=2.0, most=None),
        plan_row("loyal", "email", "gone"),
    ]

    limits = limits_of(bound, {"a": "loyal"}, ["a", "b", "c", "d"], ACTIONS, budget=100.0)

    assert limits.segment.tolist() == [0, 1, 1, 1]
    assert limits.most.tolist() == [[5.0, np.inf], [np.inf, np.inf]]
    assert limits.least.tolist() == [[0.0, 0.0], [0.0, 2.0]]
    assert limits.stock.tolist() == [np.inf, 3.0]
    assert (limits.budget, limits.shadow_price) == (60.0, 0.5)
