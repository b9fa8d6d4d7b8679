"""Published figures that need no data beside the test: looks, beliefs, splits, a bandit's log."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regulars.errors import InputError
from regulars.measure.experiments import (
    Spending,
    believe_shares,
    bounds,
    check_sample_ratio,
    crossing_probability,
    difference,
    moments,
    read_once,
)
from regulars.measure.off_policy import ESTIMATORS, logged


def test_many_looks_come_as_near_to_the_published_bounds_as_those_are_to_their_own_rule():
    """spotify-confidence, test_bounds.py: a run of 155 looks, its first 61; level .003333, t^2.

    Their grid loses what it should spend: nothing at the second look, four in ten too little at
    the third, half a percent in all. Ours spends what was allowed, so the two meet within that.
    """
    rows = pd.read_csv(Path(__file__).parent / "published_looks.csv")
    times, published = rows.information.to_numpy(), rows.bound.to_numpy()
    alpha = 0.003333333

    found = bounds(times, alpha=alpha, spending=Spending.SQUARE)

    assert found[0] == pytest.approx(published[0], abs=1e-7)
    assert found[10:] == pytest.approx(published[10:], abs=0.006)
    assert found[30:] == pytest.approx(published[30:], abs=0.003)
    allowed = alpha * times[-1] ** 2
    assert crossing_probability(found, times) == pytest.approx(allowed, rel=1e-6)
    assert crossing_probability(published, times) / allowed == pytest.approx(0.9947, abs=5e-4)


def test_the_belief_in_shares_is_the_published_one_to_what_draws_allow():
    """spotify-confidence, test_betabinomial.py, by a million draws: about 0.0002 either way."""
    found = believe_shares(42, 104, 500, 1009)

    assert float(found.mean) == pytest.approx(0.090737, abs=1.5e-4)
    assert float(found.chance) == pytest.approx(0.962782, abs=5e-4)
    assert float(found.risk_of_control) == pytest.approx(0.0915048, abs=1.5e-4)
    assert float(found.risk_of_treated) == pytest.approx(0.0007678, abs=1.5e-5)


def test_the_belief_in_shares_is_what_its_integral_says_for_few_and_for_many():
    """Against draws of our own; the planted mistake would believe in a normal difference."""
    rng = np.random.default_rng(1)
    cases = [(0, 9, 2, 9), (3, 50, 9, 40), (42, 104, 500, 1009)]
    for hits, count, more, others in cases:
        found = believe_shares(hits, count, more, others)
        own = rng.beta(hits + 0.5, count - hits + 0.5, 400_000)
        other = rng.beta(more + 0.5, others - more + 0.5, 400_000)
        gap = other - own
        assert float(found.chance) == pytest.approx((gap > 0).mean(), abs=0.003)
        assert float(found.risk_of_treated) == pytest.approx(
            np.maximum(-gap, 0).mean(), rel=0.03, abs=3e-5
        )
        assert float(found.spread) == pytest.approx(gap.std(), rel=0.01)
    with pytest.raises(InputError, match="from 0 to the count"):
        believe_shares(5, 4, 1, 2)
    with pytest.raises(InputError, match="above 0"):
        believe_shares(1, 4, 1, 2, prior=(0.0, 1.0))


HILLSTROM = {
    # customers, visits, conversions, spend, variance of spend (64,000 rows, sha256 0e589332...)
    "mens": (21_307, 3_894, 267, 30_311.69, 315.211799),
    "none": (21_306, 2_262, 122, 13_908.33, 134.286372),
    "womens": (21_387, 3_238, 189, 23_038.11, 228.496675),
}


def test_the_mail_experiment_of_hillstrom_gives_the_published_shares_and_effects():
    """Shares of the challenge; effects and errors of russluber/hillstrom, table 3."""
    shares = {
        name: [round(part / one[0], 6) for part in one[1:4]] for name, one in HILLSTROM.items()
    }
    spend = {name: moments(one[0], one[3] / one[0], one[4]) for name, one in HILLSTROM.items()}

    assert shares == {
        "mens": [0.182757, 0.012531, 1.422617],
        "none": [0.106167, 0.005726, 0.652789],
        "womens": [0.151400, 0.008837, 1.077202],
    }
    for treated, control, effect, error in (
        ("mens", "none", 0.76983, 0.14525),
        ("womens", "none", 0.42441, 0.13033),
        ("mens", "womens", 0.34541, 0.15962),
    ):
        found = difference(spend[control], spend[treated])
        assert float(found.effect) == pytest.approx(effect, abs=1e-5)
        assert float(found.standard_error) == pytest.approx(error, abs=5e-6)


def test_the_cookie_game_gives_the_published_figures_from_its_counts():
    """cookie_cats, 90,189 players: gates at level 30 and 40, who came back after a day and a week."""
    players, day, week = (44_700, 45_489), (20_034, 20_119), (8_502, 8_279)

    def p_value(hits):
        shares = [hit / count for hit, count in zip(hits, players, strict=True)]
        own = [
            moments(count, share, share * (1 - share) * count / (count - 1))
            for count, share in zip(players, shares, strict=True)
        ]
        return [round(share, 6) for share in shares], float(read_once(difference(*own)).p_value)

    assert p_value(day) == ([0.448188, 0.442283], pytest.approx(0.0744, abs=5e-5))
    assert p_value(week) == ([0.190201, 0.182000], pytest.approx(0.00155, abs=1e-5))
    assert check_sample_ratio(players, [0.5, 0.5]).p_value == pytest.approx(0.0086, abs=5e-5)


# zr-obp, prior_bts.yaml, campaign "all": what the shop's Thompson sampler believed of 80 items.
CLICKED = """47 8 62 142 3 14 7 857 12 15 6 100 48 23 71 61 13 16 518 30 7 4 23 8 10 11 11 18 121
11 11 10 14 9 204 58 3 19 42 1013 2 328 15 31 14 138 45 55 23 38 10 401 52 6 3 6 5 32 35 133 52
820 43 195 8 42 40 4 32 30 9 22 6 23 5 54 8 22 65 246"""
PASSED = """12198 3566 15993 35522 2367 4609 3171 181745 4372 4951 3100 24665 13210 7061 18061 17449
5644 6787 111326 8776 3334 2271 7389 2659 3665 4724 3561 5085 27407 4601 4756 4120 4736 3788 45292
14719 2189 5589 11995 222255 2308 70034 4801 8274 5421 31912 12213 13576 6230 10382 4141 85731
12811 2707 2250 2668 2886 9581 9465 28336 12062 162793 12107 41240 3162 11604 10818 2923 8897 8654
4000 6580 3174 6766 2602 14506 3968 7523 16532 51964"""
# Item and place of the 38 clicks among the 10,000 shown at random, of the Open Bandit sample.
CLICKS = """38 1 9 1 53 2 6 1 49 1 57 1 6 3 44 2 46 3 47 2 25 2 48 3 65 2 36 3 34 2 3 3 18 3 18 3 1 1
49 2 61 2 58 2 57 3 58 2 8 3 71 1 7 1 28 1 53 2 50 1 45 2 69 3 36 2 41 2 49 1 21 3 17 1 44 1"""


def numbers(text):
    return np.array(text.split(), float)


def test_the_open_bandit_quickstart_gives_the_published_value():
    """zr-obp, quickstart/obd.ipynb: 100,000 draws of the sampler make its distribution."""
    draw = np.random.RandomState(12345)
    shown = np.zeros((80, 3))
    for _ in range(20):
        belief = draw.beta(numbers(CLICKED), numbers(PASSED), size=(5000, 80))
        first = np.argsort(belief, axis=1)[:, ::-1][:, :3]
        for place in range(3):
            shown[:, place] += np.bincount(first[:, place], minlength=80)
    item, place = numbers(CLICKS).astype(int).reshape(-1, 2).T
    arm, at = np.zeros(10_000, int), np.zeros(10_000, int)
    arm[:38], at[:38] = item, place - 1

    # Where nobody clicked, importance sampling asks for no item.
    log = logged(arm, np.arange(10_000) < 38, np.full(10_000, 1 / 80), (shown / 100_000).T[at])
    found = ESTIMATORS["importance_sampling"](log).value

    assert (shown[0] / 100_000).tolist() == [0.01078, 0.00931, 0.00917]
    assert found == pytest.approx(0.004553, abs=5e-7)
    assert found / 0.0038 == pytest.approx(1.198126, abs=1e-6)
    assert abs(found - 0.0042) / 0.0042 == pytest.approx(0.084019, abs=1e-6)


def test_every_test_the_page_of_figures_names_is_there():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "explanation" / "figures-reproduced.md").read_text(encoding="utf-8")
    texts = {
        path.relative_to(root / "tests").as_posix(): path.read_text(encoding="utf-8")
        for path in (root / "tests").glob("[um]*/test_*.py")
    }

    files = re.findall(r"`((?:understand|measure)/\w+\.py)", page)
    names = re.findall(r"(?:::|…_?)(\w{12,})", page)

    assert len(files) > 20
    assert not [file for file in files if file not in texts]
    assert len(names) > 20
    assert not [name for name in names if not any(name in text for text in texts.values())]
