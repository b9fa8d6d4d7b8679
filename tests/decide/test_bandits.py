"""Bandits learn, say truly how likely each choice was, and mind delay, change and ties."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.bandits import (
    Awaiting,
    LinearArms,
    beta_thompson,
    chances_of_best,
    epsilon_greedy,
    lin_thompson,
    lin_ucb,
)
from regulars.errors import InputError, UnknownName
from regulars.measure.off_policy import doubly_robust, logged

POLICIES = {"lin_ucb": lin_ucb, "lin_thompson": lin_thompson, "epsilon_greedy": epsilon_greedy}
ARMS = ("coupon", "news", "nothing")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def new_arms(features=3, **options):
    arms = LinearArms(features, **options)
    for name in ARMS:
        arms.add(name)
    return arms


def world(decisions, seed):
    """A linear world: contexts, and what each arm would bring on average."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([np.ones((decisions, 1)), rng.normal(0, 1, (decisions, 2))], axis=1)
    means = x @ np.array([[0.2, 0.5, 0.0], [0.3, -0.5, 0.2], [0.25, 0.0, 0.0]]).T
    return x, means, rng.normal(0, 0.3, decisions)


@pytest.mark.parametrize("name", POLICIES)
def test_it_earns_nearly_what_knowing_the_truth_would(name):
    x, means, noise = world(3000, 1)
    arms, earned = new_arms(), []
    for n in range(3000):
        decision = POLICIES[name](arms, x[n], ARMS, key=str(n), seed=7, purpose="test")
        arm = ARMS.index(decision.arm)
        earned.append(means[n, arm])
        arms.learn(decision.arm, x[n], means[n, arm] + noise[n])

    late, best = np.mean(earned[1000:]), means[1000:].max(axis=1).mean()
    any_arm = means[1000:].mean()
    assert late > any_arm + (0.93 if name != "epsilon_greedy" else 0.85) * (best - any_arm)


@pytest.mark.parametrize("name", POLICIES)
def test_the_logged_probability_is_that_of_the_draw(name):
    x, means, noise = world(60, 2)
    arms = new_arms()
    for n in range(60):
        arms.learn(ARMS[n % 3], x[n], means[n, n % 3] + noise[n])
    expected, seen = Counter(), Counter()
    for n in range(3000):
        decision = POLICIES[name](arms, [1.0, 0.1, 0.2], ARMS, key=f"k{n}", seed=7, purpose="t")
        expected.update(decision.probability_by_arm)
        seen[decision.arm] += 1
        assert decision.propensity == decision.probability_by_arm[decision.arm]
        assert sum(decision.probability_by_arm.values()) == pytest.approx(1)

    for arm in ARMS:
        assert seen[arm] == pytest.approx(expected[arm], abs=5 * np.sqrt(expected[arm] + 1))


def test_its_log_judges_a_policy_that_never_ran():
    x, means, noise = world(2500, 3)
    arms, log = new_arms(), []
    for n in range(2500):
        decision = lin_thompson(arms, x[n], ARMS, key=str(n), seed=7, purpose="t", floor=0.1)
        arm = ARMS.index(decision.arm)
        reward = means[n, arm] + noise[n]
        arms.learn(decision.arm, x[n], reward)
        log.append((arm, reward, decision.propensity))
    arm, reward, propensity = map(np.array, zip(*log, strict=True))
    always_news = np.tile([0.0, 1.0, 0.0], (2500, 1))

    value = doubly_robust(logged(arm, reward, propensity, always_news))

    assert value.low <= means[:, 1].mean() <= value.high


def test_the_same_key_draws_the_same_arm_and_another_purpose_another():
    arms = new_arms()
    draws = [
        [lin_ucb(arms, [1, 0, 0], ARMS, key=str(n), seed=7, purpose=p).arm for n in range(200)]
        for p in ("a", "a", "b")
    ]

    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("name", POLICIES)
def test_arms_nothing_is_known_of_are_tried_alike(name):
    """Before any reward all arms tie; going to the first would try no other."""
    seen = Counter(
        POLICIES[name](new_arms(), [1, 0, 0], ARMS, key=str(n), seed=7, purpose="t").arm
        for n in range(900)
    )

    assert min(seen.values()) > 220


def test_rewards_that_fade_follow_a_world_that_changes():
    after = {}
    for fade in (1.0, 0.98):
        arms, earned = new_arms(1, fade=fade), []
        rng = np.random.default_rng(1)
        for n in range(1200):
            means = {"coupon": 1.0, "news": 0.5, "nothing": 0.0}
            if n >= 800:
                means["coupon"], means["nothing"] = 0.0, 1.0
            decision = lin_thompson(arms, [1.0], ARMS, key=str(n), seed=7, purpose="t")
            arms.learn(decision.arm, [1.0], means[decision.arm] + rng.normal(0, 0.3))
            earned.append(means[decision.arm])
        after[fade] = np.mean(earned[800:])

    assert after[0.98] > 0.7
    assert after[1.0] < after[0.98] - 0.1


def test_an_arm_may_come_later_and_go_without_being_forgotten():
    arms = new_arms(1)
    for _ in range(100):
        arms.learn("coupon", [1.0], 1.0)
    arms.add("new")

    tried = lin_ucb(arms, [1.0], [*ARMS, "new"], key="k", seed=7, purpose="t", width=20.0)
    assert max(tried.probability_by_arm, key=tried.probability_by_arm.get) != "coupon"
    gone = lin_ucb(arms, [1.0], ["news", "nothing"], key="k", seed=7, purpose="t")
    assert "coupon" not in gone.probability_by_arm
    arms.add("coupon")
    back = lin_ucb(arms, [1.0], ARMS, key="k", seed=7, purpose="t", width=0.0)
    assert back.probability_by_arm["coupon"] > 0.9


def test_what_is_known_survives_as_json():
    x, means, noise = world(300, 4)
    arms = new_arms(fade=0.999)
    for n in range(300):
        arms.learn(ARMS[n % 3], x[n], means[n, n % 3] + noise[n])

    again = LinearArms.from_data(json.loads(json.dumps(arms.as_data())))

    for n in range(20):
        asked = {"key": str(n), "seed": 7, "purpose": "t"}
        assert lin_thompson(again, x[n], ARMS, **asked) == lin_thompson(arms, x[n], ARMS, **asked)


def test_one_by_one_gives_what_solving_at_once_gives():
    x, means, noise = world(200, 5)
    arms = new_arms(ridge=2.0)
    for n in range(200):
        arms.learn("news", x[n], means[n, 1] + noise[n])

    solved = np.linalg.solve(x.T @ x + 2 * np.eye(3), x.T @ (means[:, 1] + noise))
    found, _ = arms.expected(arms.places(["news"]), np.array([1.0, 2.0, 3.0]))
    assert found[0] == pytest.approx(solved @ [1.0, 2.0, 3.0], abs=1e-8)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4000)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_chances_of_being_best_are_those_of_sampling(counts):
    pairs = np.array(counts, dtype=float)
    rng = np.random.default_rng(1)
    drawn = rng.beta(pairs[:, 0] + 1, pairs[:, 1] + 1, (20_000, len(pairs)))
    sampled = np.bincount(drawn.argmax(axis=1), minlength=len(pairs)) / 20_000

    assert chances_of_best(pairs[:, 0], pairs[:, 1]) == pytest.approx(sampled, abs=0.02)


@pytest.mark.parametrize(
    ("successes", "failures"),
    [([500e3, 3], [9.5e6, 40]), ([50e3, 0], [950e3, 0]), ([950e3, 0], [50e3, 0])],
)
def test_a_new_arm_beside_a_busy_one_has_the_chance_it_has(successes, failures):
    good, bad = np.array(successes), np.array(failures)
    drawn = np.random.default_rng(1).beta(good + 1, bad + 1, (100_000, 2))

    assert chances_of_best(good, bad)[1] == pytest.approx(
        (drawn[:, 1] > drawn[:, 0]).mean(), abs=0.005
    )


def test_rates_are_learned_with_few_wasted_exposures():
    rng = np.random.default_rng(1)
    rates, counts = {"a": 0.03, "b": 0.05, "c": 0.08}, dict.fromkeys("abc", (0.0, 0.0))
    taken = Counter()
    for n in range(4000):
        decision = beta_thompson(counts, key=str(n), seed=7, purpose="t")
        hit = rng.random() < rates[decision.arm]
        good, bad = counts[decision.arm]
        counts[decision.arm] = (good + hit, bad + (not hit))
        taken[decision.arm] += 1

    assert taken["c"] > 0.7 * 4000


def test_each_decision_is_learned_from_once_at_its_reward_or_when_the_window_is_over():
    arms, waiting = new_arms(1), Awaiting(timedelta(days=7))
    decision = lin_ucb(arms, [1.0], ["coupon"], key="k", seed=7, purpose="t")
    for key in ("bought", "silent", "late"):
        waiting.decided(key, decision, (1.0,), at=NOW)

    assert waiting.rewarded(arms, "bought", 1.0, at=NOW + timedelta(days=2))
    assert not waiting.rewarded(arms, "bought", 1.0, at=NOW + timedelta(days=3))
    assert waiting.close(arms, now=NOW + timedelta(days=8)) == 2
    assert not waiting.rewarded(arms, "late", 1.0, at=NOW + timedelta(days=9))
    known, _ = arms.expected(arms.places(["coupon"]), np.array([1.0]))
    assert known[0] == pytest.approx(1 / (1 + 3))


def test_learning_from_rewards_alone_would_overrate_every_arm():
    """The planted mistake: silence never counts."""
    arms, waiting = new_arms(1), Awaiting(timedelta(days=7))
    decision = lin_ucb(arms, [1.0], ["coupon"], key="k", seed=7, purpose="t")
    for n in range(100):
        waiting.decided(str(n), decision, (1.0,), at=NOW)
    for n in range(10):
        waiting.rewarded(arms, str(n), 1.0, at=NOW)
    overrated, _ = arms.expected(arms.places(["coupon"]), np.array([1.0]))
    waiting.close(arms, now=NOW + timedelta(days=8))
    honest, _ = arms.expected(arms.places(["coupon"]), np.array([1.0]))

    assert overrated[0] > 0.85
    assert honest[0] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("call", "error", "hint"),
    [
        (lambda: LinearArms(0), InputError, "1 or more"),
        (lambda: new_arms().learn("other", [1, 0, 0], 1.0), UnknownName, "no arm named"),
        (lambda: new_arms().learn("news", [1, 0], 1.0), InputError, "3 numbers"),
        (lambda: new_arms().learn("news", [1, 0, 0], float("nan")), InputError, "give a number"),
        (
            lambda: lin_ucb(new_arms(), [1, 0, 0], ARMS, key="k", seed=1, purpose="t", floor=0.5),
            InputError,
            "lower it",
        ),
        (
            lambda: beta_thompson({}, key="k", seed=1, purpose="t"),
            InputError,
            "each eligible arm",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, hint):
    with pytest.raises(error, match=hint):
        call()
