"""Learning from randomised decisions, where the truth is known."""

from decimal import Decimal

import numpy as np
import pytest

from regulars.adjust.autotune import learning
from regulars.adjust.autotune.carry_over import (
    carried,
    learn_carry_over,
    starting_carry_over,
)
from regulars.adjust.autotune.learning import (
    Evidence,
    Residuals,
    learn,
    predicted_effect,
    residuals,
)
from regulars.adjust.autotune.spend_share import Readout, calibration, spend_share
from regulars.decide.offers import Arm
from regulars.decide.uplift import FEATURES
from regulars.decide.uplift.effects import (
    arm_coefficients,
    belief_from_rows,
    belief_to_rows,
    extended,
    starting_belief,
)

ARMS = [
    Arm(offer, channel, Decimal("0.05"), Decimal("0.5"))
    for offer in ("news", "ten")
    for channel in ("app", "sms")
]
N = 8_000
TRUTH = np.zeros((len(ARMS), len(FEATURES)))
TRUTH[:, 0] = [0.00, 0.05, 0.10, 0.15]
TRUTH[2:, 4] = 0.2


def evidence(seed, truth=TRUTH, told=None):
    """Customers contacted with a probability that depends on who they are."""
    random = np.random.default_rng(seed)
    customers = random.normal(0, 0.8, (N, len(FEATURES)))
    customers[:, 0] = 1.0
    baseline = np.exp(0.6 * customers[:, 1])
    chance = 0.2 / (1 + np.exp(-customers[:, 1:2])) * np.ones((1, len(ARMS)))
    arm = (random.random((N, 1)) > chance.cumsum(axis=1)).sum(axis=1)
    taken = np.eye(len(ARMS) + 1)[arm][:, :-1]
    effect = (taken * (customers @ truth.T)).sum(axis=1)
    orders = random.poisson(np.maximum(baseline + effect, 0)).astype(float)
    return Evidence(customers, baseline, orders, taken - (chance if told is None else told))


def learned(turns, truth=TRUTH, belief=None):
    belief = belief or starting_belief(ARMS)
    for turn in turns:
        belief = learn(belief, ARMS, evidence(turn, truth)).belief
    return belief


def effects(belief):
    return arm_coefficients(belief.terms, ARMS, belief.posterior()[0])


def test_six_turns_recover_who_responds_to_what():
    found = effects(learned(range(6)))

    assert found[:, 0] == pytest.approx(TRUTH[:, 0], abs=0.04)
    assert found[:, 4] == pytest.approx(TRUTH[:, 4], abs=0.05)


def test_contacting_the_likely_buyers_does_not_look_like_an_effect():
    nothing = np.zeros_like(TRUTH)

    assert np.abs(effects(learned(range(4), nothing))).max() < 0.04


def test_a_learner_that_forgets_who_was_likely_to_buy_is_caught_by_that_test(monkeypatch):
    nothing, belief = np.zeros_like(TRUTH), starting_belief(ARMS)

    def raw(seen):
        return Residuals(seen.outcome - seen.outcome.mean(), np.ones(N))

    monkeypatch.setattr(learning, "residuals", raw)
    for turn in range(4):
        belief = learn(belief, ARMS, evidence(turn, nothing, told=np.zeros(len(ARMS)))).belief

    assert np.abs(effects(belief)).max() > 0.04


def test_where_nothing_works_every_arm_is_shrunk_to_the_common_nothing():
    belief = learned(range(4), np.zeros_like(TRUTH))

    spread = dict(zip(belief.blocks, belief.prior_sd, strict=True))
    assert spread["offer.slope"] < 0.015
    assert spread["pair"] < 0.015


def test_a_change_of_responses_is_noticed_and_followed():
    before = learned(range(5), TRUTH * 2)
    flipped = -TRUTH * 2

    lesson = learn(before, ARMS, evidence(99, flipped))
    after = learned(range(100, 103), flipped, lesson.belief)

    assert lesson.shifted
    assert effects(after)[2:, 4] == pytest.approx(flipped[2:, 4], abs=0.15)


def test_offers_that_trade_places_are_noticed_though_effects_are_as_large_as_foretold():
    traded = 2 * TRUTH[[2, 3, 0, 1]]
    before = learned(range(5), TRUTH * 2)

    first = learn(before, ARMS, evidence(99, traded))
    second = learn(first.belief, ARMS, evidence(98, traded), suspicion=first.suspicion)

    assert first.shifted or second.shifted
    after = learned(range(100, 103), traded, second.belief)
    assert effects(after)[:2, 4] == pytest.approx(traded[:2, 4], abs=0.1)


def seldom(seed):
    """Customers who buy often, and one in ten who hardly buys unless contacted."""
    random = np.random.default_rng(seed)
    customers = np.zeros((2_000, len(FEATURES)))
    customers[:, 0] = 1.0
    baseline = np.where(np.arange(2_000) % 10, 1.5, 0.02)
    taken = (random.random((2_000, 1)) < 0.5) * np.eye(len(ARMS))[
        np.arange(2_000) // 10 % len(ARMS)
    ]
    orders = random.poisson(baseline + 0.4 * taken.sum(axis=1)).astype(float)
    chance = 0.5 * np.eye(len(ARMS))[np.arange(2_000) // 10 % len(ARMS)]
    return Evidence(customers, baseline, orders, taken - chance)


def surprises(seeds):
    """Squared errors of the believed mean effect, over their believed variance."""
    found = []
    for seed in seeds:
        belief = learn(starting_belief(ARMS), ARMS, seldom(seed)).belief
        mean, covariance = belief.posterior()
        parts = np.array([
            {"all": 1.0, "offer": 0.5, "channel": 0.5, "pair": 0.25}[term.split(":")[0]]
            * term.endswith(":intercept")
            for term in belief.terms
        ])
        found.append((parts @ mean - 0.4) ** 2 / (parts @ covariance @ parts))
    return float(np.mean(found))


def test_a_belief_is_no_surer_than_it_is_right_about_who_seldom_buys(monkeypatch):
    assert surprises(range(40)) < 1.6

    monkeypatch.setattr(learning, "_LEAST_VARIANCE", 0.05)
    assert surprises(range(40)) > 2


def test_what_one_turn_hardly_shows_several_turns_do():
    before, traded = learned(range(5)), 0.5 * TRUTH + 0.5 * TRUTH[[2, 3, 0, 1]]

    first = learn(before, ARMS, evidence(60, traded))
    alone = learn(first.belief, ARMS, evidence(61, traded))
    together = learn(first.belief, ARMS, evidence(61, traded), suspicion=first.suspicion)

    assert not first.shifted
    assert not alone.shifted
    assert first.suspicion > 0
    assert together.shifted
    assert together.suspicion == 0


def test_steady_responses_are_never_taken_for_a_change():
    belief = learned(range(4))

    assert not any(learn(belief, ARMS, evidence(seed)).shifted for seed in range(50, 60))
    suspicion = 0.0
    for seed in range(50, 60):
        lesson = learn(belief, ARMS, evidence(seed), suspicion=suspicion)
        belief, suspicion = lesson.belief, lesson.suspicion
        assert not lesson.shifted


def test_a_belief_survives_being_stored():
    belief = learned(range(2))

    again = belief_from_rows(belief_to_rows(belief))

    assert np.array_equal(again.posterior()[0], belief.posterior()[0])


def test_a_new_offer_starts_without_data_and_leaves_the_others_alone():
    belief = learned(range(3))
    gift = Arm("gift", "sms", Decimal("0.05"), Decimal("0.5"))

    grown = extended(belief, [*ARMS, gift])

    old = arm_coefficients(grown.terms, ARMS, grown.posterior()[0])
    assert old == pytest.approx(effects(belief), abs=1e-9)
    new = arm_coefficients(grown.terms, [gift], grown.posterior()[0])[0]
    assert np.isfinite(new).all()


def test_purchases_pulled_forward_are_found_in_the_weeks_after():
    belief, carry = learned(range(6)), starting_carry_over()
    for seed in range(20, 28):
        random = np.random.default_rng(seed)
        now = evidence(seed)
        borrowed = -0.5 * predicted_effect(belief, ARMS, now)
        orders = random.poisson(np.maximum(now.baseline + borrowed, 0)).astype(float)
        later = residuals(Evidence(now.customers, now.baseline, orders, now.contrast))
        carry = learn_carry_over(
            carry, 1,
            contacted=now.contrast.sum(axis=1),
            predicted=predicted_effect(belief, ARMS, now),
            later=later,
        )  # fmt: skip

    per_contact, per_order = carried(carry)
    assert per_order == pytest.approx(-0.5, abs=0.2)
    assert per_contact == pytest.approx(0.0, abs=0.02)


def test_money_flows_when_predictions_come_true_and_stops_when_they_do_not():
    proven, _ = spend_share([(0.9, 0.2)] * 4, [])
    refuted, z = spend_share([(0.05, 0.4), (-0.1, 0.4), (0.0, 0.5)], [])

    assert proven == 1.0
    assert refuted == 0.05
    assert z < 1


def test_two_turns_may_be_spent_on_learning():
    assert spend_share([(0.0, 0.1)], [])[0] == 1.0


def test_holdouts_that_prove_a_loss_stop_the_money_whatever_was_predicted():
    loss = [Readout(t, 1000, -400.0, 200.0, 50.0) for t in range(1, 7)]

    assert spend_share([(0.9, 0.2)] * 4, loss)[0] == 0.05


def test_a_prediction_that_was_right_is_left_alone():
    assert calibration([(1.0, 0.1)] * 4) == pytest.approx(1.0)
    assert calibration([]) == 1.0
