"""From a policy to one decision per customer."""

from decimal import Decimal

import numpy as np
import pytest

from regulars.decide.eligibility import eligibility
from regulars.decide.offers import Arm
from regulars.decide.policies import choosing
from regulars.decide.policies.choosing import choose
from regulars.decide.policies.economics import Tuned, economics
from regulars.decide.policies.sampling import sampling_policy
from regulars.numerics.hashing import keys_of

N = 4_000
ARMS = [
    Arm("news", "sms", Decimal("0.05"), Decimal("0.20")),
    Arm("ten", "sms", Decimal("0.05"), Decimal("1.00")),
]


@pytest.fixture(name="shop")
def a_shop_with_every_kind_of_customer():
    random = np.random.default_rng(3)
    customers = random.normal(0, 1, (N, 3))
    refusals = np.where(random.random(N) < 0.2, "no_consent", "").astype("U24")
    held = random.random(N) < 0.05
    open_to = eligibility(
        ARMS,
        {"sms": refusals},
        basket=np.full(N, 40.0),
        margin_rate=np.full(N, 0.25),
        global_holdout=held,
    )
    mean = np.array([[0.05, 0.2, 0.0], [0.02, -0.1, 0.3]])
    draws = mean + random.normal(0, 0.05, (16, 2, 3))
    worth = np.full(N, 10.0)
    money = economics(
        ARMS,
        Tuned(),
        worth=worth,
        residual_value=worth,
        contacts=np.zeros(N),
        effects=customers @ mean.T,
    )
    policy = sampling_policy(
        customers, mean=mean, draws=draws, economics=money,
        allowed=open_to.allowed, budget=400.0, floor=0.04,
    )  # fmt: skip
    return policy, open_to, keys_of([str(i) for i in range(N)]), refusals, held


def decided(shop, **changes):
    policy, open_to, keys, _, _ = shop
    settings = {"seed": 7, "turn": 1, "campaign_holdout": 0.1, "budget": 1e9} | changes
    return choose(policy, open_to, ARMS, keys, **settings)


def test_expected_cost_stays_within_the_budget(shop):
    policy = shop[0]

    expected = policy.probabilities @ np.array([float(a.cost) for a in ARMS])

    assert 390 < expected.sum() <= 401


def test_every_open_action_and_silence_keep_a_floor(shop):
    policy, open_to = shop[:2]
    inside = open_to.allowed.any(axis=1)

    assert policy.probabilities[open_to.allowed].min() >= 0.04 / 3 - 1e-12
    assert (1 - policy.probabilities[inside].sum(axis=1)).min() >= 0.04 / 3 - 1e-12
    assert (policy.probabilities[~open_to.allowed] == 0).all()


def test_everybody_gets_one_verdict_with_a_reason(shop):
    found = decided(shop)

    assert set(found.verdict) == {"send", "abstain", "holdout", "skip"}
    assert (found.reason != "").all()
    assert ((found.verdict == "send") <= (found.arm >= 0)).all()


def test_nobody_without_consent_or_in_the_global_holdout_is_sent_anything(shop):
    refusals, held = shop[3:]

    sends = decided(shop).verdict == "send"

    assert not sends[refusals != ""].any()
    assert not sends[held].any()


def test_the_logged_probability_is_how_often_it_happens(shop):
    policy = shop[0]
    times = np.zeros(N)
    for turn in range(200):
        times += decided(shop, turn=turn).verdict == "send"

    expected = policy.probabilities.sum(axis=1) * 0.9
    assert times.sum() / 200 == pytest.approx(expected.sum(), rel=0.01)
    assert np.corrcoef(times, expected)[0, 1] > 0.95


def test_a_tenth_of_each_campaign_is_held_out(shop):
    found = decided(shop)

    chosen = (found.verdict == "send") | found.in_campaign_holdout
    assert found.in_campaign_holdout[chosen].mean() == pytest.approx(0.1, abs=0.03)


def test_sends_stop_at_the_budget_in_an_order_nobody_chose(shop):
    found = decided(shop, budget=100.0)

    sends = found.verdict == "send"
    cost = np.array([float(a.cost) for a in ARMS])[found.arm[sends]].sum()
    assert 98 <= cost <= 100
    assert (found.reason[(found.verdict == "skip") & (shop[3] == "") & ~shop[4]] == "budget").all()


def test_a_budget_that_binds_drops_held_out_customers_alike(shop, monkeypatch):
    # What is logged is not looked at here, and working it out takes longer than the draws.
    monkeypatch.setattr(choosing, "kept_shares", lambda *_given, **_said: 1.0)
    sends = holds = 0
    for turn in range(100):
        found = decided(shop, turn=turn, budget=60.0)
        sends += (found.verdict == "send").sum()
        holds += found.in_campaign_holdout.sum()

    assert holds / (sends + holds) == pytest.approx(0.1, abs=0.01)


def test_exploring_alone_never_costs_more_than_the_budget(shop):
    random = np.random.default_rng(3)
    customers, worth = random.normal(0, 1, (N, 3)), np.full(N, 10.0)
    none = np.zeros((2, 3))
    money = economics(
        ARMS,
        Tuned(),
        worth=worth,
        residual_value=worth,
        contacts=np.zeros(N),
        effects=customers @ none.T,
    )

    policy = sampling_policy(
        customers, mean=none, draws=none[None], economics=money,
        allowed=np.ones((N, 2), bool), budget=5.0, floor=0.2,
    )  # fmt: skip

    assert (policy.probabilities @ money.budget_cost).sum() == pytest.approx(5.0)
