"""What is logged of a send is how often it happens, however tight plan, stock or money are."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from regulars.decide.eligibility import eligibility
from regulars.decide.offers import Arm
from regulars.decide.policies import choosing
from regulars.decide.policies.choosing import choose
from regulars.decide.policies.limits import expected, limits_of
from regulars.decide.policies.sampling import Economics, sampling_policy
from regulars.decide.policies.tables import decision_rows
from regulars.decide.uplift.features import FEATURES
from regulars.numerics.hashing import keys_of

N, SEGMENTS, WORLDS, TURNS, HELD_OUT = 600, 30, 8, 300, 0.1
IDS = [f"c{n:03}" for n in range(N)]
KEYS = keys_of(IDS)
SEGMENT_OF = {one: f"s{n % SEGMENTS:02}" for n, one in enumerate(IDS)}
ARMS = [
    Arm("news", "sms", Decimal("0.05"), Decimal("0.20")),
    Arm("ten", "sms", Decimal("0.05"), Decimal("1.00")),
]
COST = np.array([float(arm.cost) for arm in ARMS])


def limited(contacts=None, *, stock=None, budget=1e6):
    """Limits of so many contacts in every cell, an offer with little stock, and the budget."""
    bound = [
        {"segment": segment, "channel": arm.channel, "offer_id": arm.offer_id, "least": 0.0,
         "most": contacts * float(arm.cost), "to_spend": budget, "shadow_price": 0.0}
        for segment in sorted(set(SEGMENT_OF.values())) for arm in ARMS
    ] if contacts is not None else []  # fmt: skip
    arms = [replace(arm, stock=stock) for arm in ARMS]
    return limits_of(bound, SEGMENT_OF, IDS, arms, budget=budget)


def policy_of(limits):
    random = np.random.default_rng(6)
    draws = random.normal(0.05, 0.1, (WORLDS, len(ARMS), 3))
    return sampling_policy(
        random.normal(0, 1, (N, 3)),
        mean=draws.mean(axis=0),
        draws=draws,
        economics=Economics(np.full(N, 10.0), np.full(2, 0.05), COST, np.zeros((N, 2))),
        allowed=np.ones((N, 2), bool),
        budget=expected(limits, ARMS, held_out=HELD_OUT),
        floor=0.02,
    )


OPEN = eligibility(
    ARMS,
    {"sms": np.full(N, "", dtype="U24")},
    basket=np.full(N, 40.0),
    margin_rate=np.full(N, 0.25),
    global_holdout=np.zeros(N, bool),
)


def choice_of(policy, limits, turn):
    return choose(
        policy, OPEN, ARMS, KEYS, seed=7, turn=turn, campaign_holdout=HELD_OUT, budget=limits
    )


def logged(policy, limits):
    """Probability of each send by the decision log, shape (customers, arms)."""
    choice = choice_of(policy, limits, 1)
    rows = decision_rows(
        IDS, ARMS, policy, OPEN, choice,
        customers=np.zeros((N, len(FEATURES))), worth=np.ones(N), turn=1,
    )  # fmt: skip
    found = np.zeros((N, len(ARMS)))
    for row, text in enumerate(rows["candidates"].to_pylist()):
        for place, arm in enumerate(ARMS):
            found[row, place] = json.loads(text).get(arm.name, (0.0, 0.0))[1]
    found *= 1 - HELD_OUT
    assert rows["send_propensity"].to_numpy() == pytest.approx(found.sum(axis=1), abs=2e-6)
    return found


def happened(policy, limits, monkeypatch):
    """How often each send happened, over many turns; what would be logged is not needed."""
    monkeypatch.setattr(choosing, "kept_shares", lambda *_given, **_said: 1.0)
    found = np.zeros((N, len(ARMS)))
    for turn in range(TURNS):
        choice = choice_of(policy, limits, turn)
        sent = np.flatnonzero(choice.verdict == "send")
        found[sent, choice.arm[sent]] += 1 / TURNS
    return found


TIGHT = [
    {"contacts": 1}, {"contacts": 2}, {"contacts": 5}, {"contacts": 10}, {"stock": 4},
    {"budget": 6.0}, {"contacts": 2, "stock": 30, "budget": 30.0},
]  # fmt: skip


@pytest.mark.parametrize("tight", TIGHT, ids=str)
def test_what_is_logged_is_how_often_it_happens_however_tight_the_limits(tight, monkeypatch):
    limits = limited(**tight)
    policy = policy_of(limits)

    said = logged(policy, limits)
    real = happened(policy, limits, monkeypatch)

    assert real.sum() == pytest.approx(said.sum(), rel=0.06)
    # Customer by customer the two differ no more than by the luck of so many turns.
    luck = np.sqrt(np.maximum(said * (1 - said), 1e-3) / TURNS)
    assert np.sqrt((((real - said) / luck)[said > 0] ** 2).mean()) < 1.3
    assert real[said == 0].sum() == 0.0


def test_probabilities_of_the_draw_alone_would_be_found_wrong(monkeypatch):
    limits = limited(1)
    policy = policy_of(limits)

    drawn = policy.probabilities * (1 - HELD_OUT)
    real = happened(policy, limits, monkeypatch)

    assert real.sum() < 0.8 * drawn.sum()


def test_money_for_less_than_a_contact_is_none_and_nothing_is_drawn_for_it():
    limits = limited(0.6)
    policy = policy_of(limits)

    assert limits.most.max() == 0.0
    assert policy.probabilities.max() == 0.0
    assert set(choice_of(policy, limits, 1).verdict) == {"skip", "abstain"}


def test_the_same_turn_logs_the_same_and_wide_limits_change_nothing():
    tight, wide = limited(2), limited(1_000)
    policy = policy_of(tight)

    once, again = (choice_of(policy, tight, 5).probabilities for _time in range(2))

    assert (once == again).all()
    assert (once < policy.probabilities).any()
    assert (choice_of(policy, wide, 5).probabilities == policy.probabilities).all()


def test_customers_held_out_are_dropped_as_often_as_others(monkeypatch):
    limits = limited(1)
    policy = policy_of(limits)
    monkeypatch.setattr(choosing, "kept_shares", lambda *_given, **_said: 1.0)
    held = sent = 0
    for turn in range(TURNS):
        choice = choice_of(policy, limits, turn)
        held += int(choice.in_campaign_holdout.sum())
        sent += int((choice.verdict == "send").sum())

    assert held / (held + sent) == pytest.approx(HELD_OUT, abs=0.012)
