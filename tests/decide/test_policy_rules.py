"""Every rule of a policy draws as it logs, keeps the floor, and deals ties out at random."""

from collections import Counter
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from tests.decide.test_online import ARMS, ask, known

from regulars.decide.policies.rule import WORLDS, Choosing, Rule
from regulars.decide.uplift import arm_coefficients
from regulars.decide.uplift.effects import starting_belief
from regulars.errors import InputError

RULES = [
    Rule("best", Choosing.BEST_VALUE),
    Rule("soft", Choosing.SOFT_VALUE, temperature=0.5),
    Rule("some", Choosing.EPSILON_GREEDY, epsilon=0.3),
    Rule("drawn", Choosing.THOMPSON, width=2.0),
    Rule("bold", Choosing.LIN_UCB, width=1.5),
]
NAMES = [one.name for one in RULES]
OPEN = [True, True]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_what_a_rule_does_online_happens_as_often_as_it_logs(rule):
    knowledge = replace(known(global_holdout=0.0, exploration_floor=0.1), rule=rule)
    traits, size = knowledge.customers.find("c00007"), 2000

    found = [ask(knowledge, f"x{n}", f"r{n}", traits=traits) for n in range(size)]

    first = found[0]
    seen = Counter(f"{one.offer_id}:{one.channel}" for one in found if one.verdict == "send")
    assert first.policy_version == f"challenger/{rule.name}"
    for name, (_value, chance, spread) in first.candidates.items():
        assert chance >= 0.1 / (len(first.candidates) + 1) - 1e-6
        assert seen[name] / size == pytest.approx(chance * 0.9, abs=4 * (chance / size) ** 0.5)
        assert spread > 0
    sends = [one for one in found if one.verdict == "send"]
    assert sends
    logged = [first.candidates[f"{one.offer_id}:{one.channel}"][1] * 0.9 for one in sends]
    assert [one.propensity for one in sends] == pytest.approx(logged, abs=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_log_tells_what_a_rule_would_do_from_the_row_alone(rule):
    """What the shadow asks of the log is what the rule does when it serves."""
    plain = known(exploration_floor=0.0)
    logged = ask(plain).candidates
    serves = ask(replace(plain, rule=rule)).candidates
    values, spreads = [one[0] for one in logged.values()], [one[2] for one in logged.values()]

    again = rule.shares(values, [True] * len(values), spreads)

    assert list(logged) == list(serves)
    assert again == pytest.approx([one[1] for one in serves.values()], abs=2 / WORLDS)


def test_the_logged_spread_is_that_of_the_belief():
    """Against worlds drawn anew: two hundred times as many as the served ones."""
    knowledge = known()
    traits = knowledge.customers.find("c00007")
    belief = starting_belief(ARMS)
    normals = np.random.default_rng(3).standard_normal((4000, len(belief.terms)))
    thetas = belief.draws(4000, normals)
    worlds = np.stack([
        arm_coefficients(belief.terms, ARMS, one) @ traits.features for one in thetas
    ])

    told = [one[2] for one in ask(knowledge).candidates.values()]

    assert told == pytest.approx((traits.worth * worlds.std(axis=0)).tolist(), rel=0.05)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_equal_actions_are_equally_likely_and_nothing_beats_what_is_worth_nothing(rule):
    tied = rule.shares([2.0, 2.0], OPEN, [0.0, 0.0])
    worthless = rule.shares([0.0, -1.0], OPEN, [0.0, 0.0])
    closed = rule.shares([2.0, 9.0], [True, False], [1.0, 1.0])

    assert tied[0] == tied[1] > 0.3
    assert closed[1] == 0
    assert 0 <= closed[0] <= 1
    if rule.choosing not in {Choosing.SOFT_VALUE, Choosing.EPSILON_GREEDY}:
        assert worthless.tolist() == [0.0, 0.0]


def test_thompson_takes_each_as_often_as_it_is_believed_best():
    found = Rule("drawn", Choosing.THOMPSON).shares([5.0, 4.5], OPEN, [1.0, 1.0])
    sure = Rule("sure", Choosing.THOMPSON, width=0.0).shares([5.0, 4.5], OPEN, [1.0, 1.0])

    exact = NormalDist().cdf(0.5 / 2**0.5)
    assert found[0] == pytest.approx(exact, abs=4 * (exact * (1 - exact) / WORLDS) ** 0.5)
    assert found.sum() == pytest.approx(1.0)
    assert sure.tolist() == [1.0, 0.0]


def test_optimism_prefers_what_is_less_known():
    values, spreads = [5.0, 4.5], [0.1, 1.0]

    assert Rule("bold", Choosing.LIN_UCB).shares(values, OPEN, spreads).tolist() == [0.0, 1.0]
    assert Rule("shy", Choosing.LIN_UCB, width=0.1).shares(values, OPEN, spreads)[0] == 1.0


def test_settings_that_make_no_probabilities_are_refused():
    for changed, says in (
        ({"epsilon": 1.2}, r"epsilon is 1.2, must be from 0 to 1"),
        ({"width": -1.0}, r"width is -1.0, must be 0 or more"),
        ({"width": float("nan")}, "width is nan"),
        ({"temperature": 0.0}, "temperature is 0.0, must be above 0"),
    ):
        with pytest.raises(InputError, match=says):
            Rule("x", **changed)
    with pytest.raises(InputError, match="lin_ucb needs the spread of each value"):
        Rule("x", Choosing.LIN_UCB).shares([1.0], [True])
