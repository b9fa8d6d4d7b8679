"""Response curves: against known truth, by hand, and in their own promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.budget.curves import Cell, fit_curves, points_of
from regulars.errors import InputError

PARTS = [
    (s, c, o) for s in ("loyal", "new", "asleep") for c in ("sms", "email") for o in ("a", "b")
]


def simulated(seed, *, periods, noise=80.0, spread=0.5):
    """Points of cells whose curves are known: rows, first return and saturation by cell."""
    draw = np.random.default_rng(seed)
    by_part = {part: draw.normal(0, spread) for parts in PARTS for part in parts}
    rows, truth = [], {}
    for parts in PARTS:
        most = draw.uniform(200, 1_000)
        first = 1.5 + sum(by_part[part] for part in parts) / 2 + draw.normal(0, 0.15)
        truth[Cell(*parts)] = first, 0.8 * most
        for spend in most * draw.uniform(0.1, 1, periods):
            effect = first * 0.8 * most * -np.expm1(-spend / (0.8 * most))
            rows.append((*parts, spend, effect + draw.normal(0, noise), noise, most))
    names = ("segment", "channel", "offer_id", "spend", "effect", "standard_error", "most")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), truth


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = []
    for seed in range(8):
        table, truth = simulated(seed, periods=5)
        for curve in fit_curves(points_of(table)):
            first, saturation = truth[curve.cell]
            low, high = curve.interval(0.6 * curve.most, level=0.8)
            real = first * saturation * -np.expm1(-0.6 * curve.most / saturation)
            inside.append(low <= real <= high)

    assert 0.7 <= np.mean(inside) <= 0.9


def test_noisy_cells_are_nearer_to_the_truth_for_sharing_strength():
    ours, alone = [], []
    for seed in range(8):
        table, truth = simulated(seed, periods=3, noise=250.0, spread=0.2)
        points = points_of(table)
        for number, curve in enumerate(fit_curves(points)):
            first, saturation = truth[curve.cell]
            rows = points.of(number)
            gains = saturation * -np.expm1(-points.spend[rows] / saturation)
            alone.append(gains @ points.effect[rows] / (gains @ gains) - first)
            ours.append(curve.first_return - first)

    assert np.square(ours).mean() < 0.5 * np.square(alone).mean()


def test_much_exact_data_is_believed_to_the_letter():
    table, truth = simulated(3, periods=40, noise=1.0)

    for curve in fit_curves(points_of(table)):
        first, saturation = truth[curve.cell]
        assert curve.first_return == pytest.approx(first, rel=0.06)
        assert float(curve.value(saturation)) == pytest.approx(
            first * saturation * (1 - np.exp(-1)), rel=0.02
        )


def test_a_cell_nobody_measured_gets_what_its_parts_say_with_a_wider_spread():
    table, _truth = simulated(2, periods=12)
    blank = dict.fromkeys(("spend", "effect", "standard_error"), np.nan)
    for name, value in {"segment": "loyal", "channel": "sms", "offer_id": "c", **blank}.items():
        table[name].append(value)
    table["most"].append(500.0)

    found = {curve.cell: curve for curve in fit_curves(points_of(table))}

    fresh, known = found[Cell("loyal", "sms", "c")], found[Cell("loyal", "sms", "a")]
    assert fresh.points == 0
    assert fresh.spread > 2 * known.spread


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_curve_is_concave_and_its_slope_is_its_marginal(seed, periods):
    table, _truth = simulated(seed, periods=periods)

    for curve in fit_curves(points_of(table)):
        spends = np.linspace(0, 2 * curve.most, 9)
        steps = np.diff(curve.value(spends))
        assert curve.first_return <= 0 or (np.diff(steps) < 0).all()
        slope = (curve.value(spends + 0.01) - curve.value(spends)) / 0.01
        assert slope == pytest.approx(curve.marginal(spends), rel=1e-3, abs=1e-6)
        low, high = curve.interval(spends[1:])
        assert (low <= high).all()


def test_the_chance_of_loss_grows_with_the_spend():
    table, _truth = simulated(1, periods=4)

    [curve, *_others] = fit_curves(points_of(table))

    chances = [curve.chance_of_loss(spend) for spend in (0, 100, 1_000, 1e5)]
    assert chances == sorted(chances)
    assert chances[-1] == pytest.approx(1.0)


def test_effects_that_may_not_be_read_are_not():
    table, _truth = simulated(4, periods=2)
    size = len(table["spend"])
    bad = {**table, "effect": [1e9] * size, "status": ["srm"] * size}
    whole = {name: table[name] + bad[name] for name in table} | {
        "status": ["ok"] * size + ["srm"] * size
    }

    found = fit_curves(points_of(whole))

    assert [c.first_return for c in found] == [c.first_return for c in fit_curves(points_of(table))]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"spend": [0.0]}, "a spend is 0"), ({"standard_error": [-1.0]}, "standard error is -1")],
)
def test_points_that_cannot_be_are_refused(change, says):
    one = {"segment": ["s"], "channel": ["c"], "offer_id": ["o"], "spend": [1.0], "effect": [1.0]}

    with pytest.raises(InputError, match=says):
        points_of(one | {"standard_error": [1.0]} | change)


def test_a_table_without_errors_or_intervals_says_what_it_lacks():
    one = {"segment": ["s"], "channel": ["c"], "offer_id": ["o"], "spend": [1.0], "effect": [1.0]}

    with pytest.raises(InputError, match="low"):
        points_of(one)
