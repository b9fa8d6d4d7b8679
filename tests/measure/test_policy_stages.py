"""A policy goes from shadow to canary to live on evidence, and back; planted mistakes stop it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from regulars.errors import InputError
from regulars.measure.experiments import moments, moments_of
from regulars.measure.off_policy import (
    Challenger,
    Stage,
    after_canary,
    after_shadow,
    judge,
    logged,
    roll_back,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CANARY = Challenger("linear-2", share=0.1, stage=Stage.CANARY)


def judgement(gain, decisions=4000, seed=1):
    """A log of two arms tried alike; the second pays more by `gain`, the policy likes it."""
    draw = np.random.default_rng(seed)
    arm = draw.integers(0, 2, decisions)
    reward = 1 + gain * arm + draw.normal(0, 1, decisions)
    target = np.tile([0.1, 0.9], (decisions, 1))
    return judge(logged(arm, reward, np.full(decisions, 0.5), target))


def watched(gain, seed, *, days=30):
    """A canary looked at every day until something happens."""
    draw, found, rewards = np.random.default_rng(seed), CANARY, ([], [])
    for day in range(days):
        for own, customers, mean in ((0, 900, 1.0), (1, 100, 1.0 + gain)):
            rewards[own].extend(draw.normal(mean, 1, draw.binomial(customers, 0.99)))
        sides = [moments_of(part) for part in rewards]
        found = after_canary(found, *sides, now=NOW + timedelta(days=day), tuned_at=10_000)
        if found.stage is not Stage.CANARY:
            break
    return found


def test_a_better_policy_leaves_the_shadow_and_an_equal_or_unknowable_one_stays():
    assert after_shadow(Challenger("a"), judgement(0.5), now=NOW).stage is Stage.CANARY
    assert after_shadow(Challenger("a"), judgement(0.0), now=NOW).stage is Stage.SHADOW
    few = after_shadow(Challenger("a"), judgement(0.5, decisions=100), now=NOW)

    assert few.stage is Stage.SHADOW
    assert "effective" in few.moves[-1].reason


def test_a_canary_that_earns_more_goes_live_and_one_that_earns_less_is_rolled_back():
    assert watched(+0.3, 1).stage is Stage.LIVE
    harmful = watched(-0.3, 1)

    assert harmful.stage is Stage.ROLLED_BACK
    assert "per customer" in harmful.moves[-1].reason
    assert [move.before for move in harmful.moves] == [Stage.CANARY] * len(harmful.moves)


def test_an_equal_canary_looked_at_every_day_is_hardly_ever_moved():
    moved = [watched(0.0, seed).stage is not Stage.CANARY for seed in range(60)]

    assert np.mean(moved) <= 0.05


def test_an_equal_policy_looked_at_nineteen_times_hardly_ever_leaves_the_shadow():
    """It prefers an arm the log took one time in ten: a fixed interval moves it in one of eight."""
    moved = []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        arm = (draw.random(9500) < 0.1).astype(int)
        reward, propensity = 10 + draw.normal(0, 4, 9500), np.where(arm, 0.1, 0.9)
        target = np.tile([0.1, 0.9], (9500, 1))
        looks = (judge(logged(*(p[:n] for p in (arm, reward, propensity, target))))
                 for n in range(500, 9501, 500))  # fmt: skip
        moved.append(any(one.is_better() for one in looks))

    assert np.mean(moved) <= 0.05


def test_a_canary_that_lost_customers_is_not_promoted_however_well_it_looks():
    """The planted mistake: those it serves badly drop out, the others look good."""
    found = after_canary(CANARY, moments(90_000, 1.0, 1.0), moments(8000, 1.5, 1.0), now=NOW)

    assert found.stage is Stage.CANARY
    assert "the split is" in found.moves[-1].reason


def test_a_canary_serves_its_share_and_keeps_whom_it_had_when_widened():
    customers = [f"c{n}" for n in range(20_000)]
    small = CANARY.serves(customers, seed=7)
    large = Challenger("linear-2", share=0.3, stage=Stage.CANARY).serves(customers, seed=7)

    assert small.mean() == pytest.approx(0.1, abs=0.01)
    assert large.mean() == pytest.approx(0.3, abs=0.015)
    assert not (small & ~large).any()
    assert not Challenger("linear-2").serves(customers, seed=7).any()
    assert Challenger("linear-2", stage=Stage.LIVE).serves(customers, seed=7).all()


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: Challenger("a", share=1.0), "must be in (0, 1)"),
        (lambda: roll_back(CANARY, reason=" ", now=NOW), "say why"),
        (lambda: after_shadow(CANARY, judgement(0.5), now=NOW), "is in stage canary"),
        (
            lambda: after_canary(
                Challenger("a"), moments(9, 1.0, 1.0), moments(9, 1.0, 1.0), now=NOW
            ),
            "is in stage shadow",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, hint):
    with pytest.raises(InputError) as refused:
        call()

    assert hint in str(refused.value)
