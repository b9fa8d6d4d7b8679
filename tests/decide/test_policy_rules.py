"""Every rule of a policy draws as it logs, keeps the floor, and deals ties out at random."""

import json
from collections import Counter
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from tests.decide.test_online import ARMS, ask, known

from regulars.adjust.policies.rewards import logged_for
from regulars.decide.online import deciding
from regulars.decide.online.deciding import POLICY_VERSION
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


def shadow_of(decision, rule, *, floor, candidates=None):
    """What the judge of a shadow says the rule would have done, of one logged decision."""
    row = {name: getattr(decision, name) for name in ("customer_id", "offer_id", "channel")}
    row |= {"verdict": decision.verdict, "features": "{}", "reward": 1.0}
    row |= {"propensity": decision.propensity, "send_propensity": decision.send_propensity}
    row["candidates"] = json.dumps(candidates or decision.candidates)
    log = logged_for([row], rule, floor=floor, seed=7)
    return dict(zip(sorted(decision.candidates), log.target[0].tolist(), strict=False))


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_what_a_rule_does_online_happens_as_often_as_it_logs(rule):
    knowledge = replace(known(global_holdout=0.0, exploration_floor=0.1), rule=rule)
    traits, size = knowledge.customers.find("c00007"), 2000

    found = [ask(knowledge, f"x{n}", f"r{n}", traits=traits) for n in range(size)]

    first = found[0]
    seen = Counter(f"{one.offer_id}:{one.channel}" for one in found if one.verdict == "send")
    assert first.policy_version == f"challenger/{rule.name}"
    for name, (_value, chance, spread, _charge) in first.candidates.items():
        assert chance >= 0.1 / (len(first.candidates) + 1) - 1e-6
        assert seen[name] / size == pytest.approx(chance * 0.9, abs=4 * (chance / size) ** 0.5)
        assert spread > 0
    sends = [one for one in found if one.verdict == "send"]
    assert sends
    logged = [first.candidates[f"{one.offer_id}:{one.channel}"][1] * 0.9 for one in sends]
    assert [one.propensity for one in sends] == pytest.approx(logged, abs=1e-6)


@pytest.mark.parametrize("price", [0.0, 2.0])
@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_log_tells_what_a_rule_would_do_from_the_row_alone(rule, price):
    """What the shadow asks of the log is what the rule does when it serves."""
    plain = known(price=price, exploration_floor=0.1)
    logged = ask(plain)
    serves = ask(replace(plain, rule=rule))

    again = shadow_of(logged, rule, floor=0.1)

    assert list(logged.candidates) == list(serves.candidates)
    assert again == pytest.approx(
        {name: one[1] * 0.9 for name, one in serves.candidates.items()}, abs=1e-6
    )
    assert [one[3] for one in logged.candidates.values()] == pytest.approx([
        price * float(arm.cost) for arm in ARMS
    ])


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_money_nobody_can_pay_leaves_what_the_floor_asks(rule):
    dear = known(price=1e6, exploration_floor=0.08)
    logged = ask(dear)
    serves = ask(replace(dear, rule=rule))
    without = replace(dear, floor=0.0)

    least = 0.08 / (len(ARMS) + 1)
    asked = 0.3 * 0.92 / (len(ARMS) + 1) if rule.choosing is Choosing.EPSILON_GREEDY else 0.0
    expected = dict.fromkeys(serves.candidates, pytest.approx(least + asked, abs=1e-6))
    assert {name: one[1] for name, one in serves.candidates.items()} == expected
    assert logged.send_propensity == pytest.approx(least * len(ARMS) * 0.9)
    assert shadow_of(logged, rule, floor=0.08) == {
        name: pytest.approx((least + asked) * 0.9) for name in serves.candidates
    }
    assert ask(without).send_propensity == 0.0
    if not asked:
        assert ask(replace(without, rule=rule)).send_propensity == 0.0


def test_a_price_in_between_turns_a_rule_to_what_is_cheaper():
    """The dearest action is the one of most value; beside the price another is worth more."""
    rule = Rule("best", Choosing.BEST_VALUE)
    arms = {one.name: float(one.cost) for one in ARMS}
    free = known(exploration_floor=0.0)
    candidates = ask(free).candidates
    best = max(candidates, key=lambda name: candidates[name][0])
    worth, cost = candidates[best][0], arms[best]
    cheaper = {name: one for name, one in candidates.items() if arms[name] < cost}
    switch = min((worth - one[0]) / (cost - arms[name]) for name, one in cheaper.items())

    found = [
        ask(replace(known(price=price, exploration_floor=0.0), rule=rule)).candidates[best][1]
        for price in (switch * 0.9, switch * 1.1)
    ]

    assert found == [1.0, 0.0]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_chooses_by_the_digits_that_are_logged(rule, monkeypatch):
    """1.23456 and 1.23461 are one and the same in the log, so to the rule as well."""
    close = np.array([1.23456, 1.23461, -5.0])
    monkeypatch.setattr(deciding, "_shares", lambda *_given: (close, np.zeros(3)))
    plain = known(exploration_floor=0.1)
    plain = replace(plain, spreads=np.zeros_like(plain.spreads))

    logged, serves = ask(plain), ask(replace(plain, rule=rule))

    chances = {name: one[1] * 0.9 for name, one in serves.candidates.items()}
    assert [one[0] for one in logged.candidates.values()] == [1.2346, 1.2346, -5.0]
    assert shadow_of(logged, rule, floor=0.1) == pytest.approx(chances, abs=1e-6)
    first, second, _worst = serves.candidates.values()
    assert first[1] == second[1] > 0.3


def test_a_log_from_before_the_charge_is_read_as_if_money_had_no_price():
    logged = ask(known(price=1e6, exploration_floor=0.1))
    older = {name: one[:3] for name, one in logged.candidates.items()}

    found = shadow_of(logged, Rule("best"), floor=0.1, candidates=older)

    best = max(older, key=lambda name: older[name][0])
    assert found[best] == pytest.approx((0.9 + 0.1 / 4) * 0.9)


def test_the_version_of_the_policy_is_above_that_which_left_out_the_price():
    assert POLICY_VERSION == ask(known()).policy_version == "online-posterior-sampling-3"


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


@pytest.mark.parametrize("actions", [1, 2, 3, 8, 13, 300])
def test_thompson_deals_equal_actions_of_equal_spread_exactly_alike(actions):
    rule = Rule("drawn", Choosing.THOMPSON)
    equal = rule.shares([1.0] * actions, [True] * actions, [1.0] * actions)
    nearly = rule.shares(1 + np.arange(actions) * 1e-9, [True] * actions, [1.0] * actions)

    assert len(set(equal.tolist())) == 1
    assert nearly == pytest.approx(equal, abs=1e-12), "no place is favoured"
    assert equal.sum() == pytest.approx(1 - NormalDist().cdf(-1.0) ** actions, abs=0.1)


def test_thompson_knows_no_places():
    """Some equal among others: each its own share, in whatever order they come."""
    rule = Rule("drawn", Choosing.THOMPSON)
    values, spreads = np.array([2.0, 1.0, 2.0, 1.5, 2.0]), np.array([1.0, 2.0, 1.0, 0.0, 1.0])
    turned = np.array([4, 3, 0, 1, 2])

    found = rule.shares(values, [True] * 5, spreads)
    again = rule.shares(values[turned], [True] * 5, spreads[turned])

    assert found[0] == found[2] == found[4]
    assert again.tolist() == found[turned].tolist()
    assert len(set(found.tolist())) == 3


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
