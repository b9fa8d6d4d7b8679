"""Plans: against SLSQP, within every guard rail, and what is worth finding out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from regulars.decide.budget.curves import Cell, Curve, fit_curves, points_of
from regulars.decide.budget.planning import (
    Guards,
    Limits,
    fill,
    limits_of_table,
    next_tests,
    pace,
    plan_budget,
)
from regulars.errors import InputError, UnknownName


def curve(name, first, saturation, *, spread=0.2, spend=100.0, most=np.inf, error=50.0):
    one = np.ones(1)
    return Curve(
        Cell("all", "sms", name), first, saturation, spend, most, 3, error,
        one, first * one, spread * one, saturation * one,
    )  # fmt: skip


def drawn(seed, cells):
    random = np.random.default_rng(seed)
    return [
        curve(
            f"o{n:02d}",
            random.normal(1.6, 0.8),
            random.uniform(50, 900),
            spend=random.uniform(0, 300),
        )
        for n in range(cells)
    ]


def by_slsqp(first, scale, budget, least, most):
    """The best value less its cost that a general solver finds."""
    found = minimize(
        lambda x: -(first * scale * -np.expm1(-x / scale) - x).sum(),
        np.clip(budget / len(first), least, most) * min(1.0, 1.0),
        jac=lambda x: -(first * np.exp(-x / scale) - 1),
        bounds=list(zip(least, most, strict=True)),
        constraints={
            "type": "ineq",
            "fun": lambda x: budget - x.sum(),
            "jac": lambda x: -np.ones(len(x)),
        },
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(8))
def test_the_gap_to_the_optimum_of_slsqp_is_under_a_thousandth(seed):
    random = np.random.default_rng(seed)
    first, scale = random.normal(1.8, 0.8, 12), random.uniform(50, 900, 12)
    least, most = random.uniform(0, 30, 12), random.uniform(40, 700, 12)

    spend, price = fill(first, scale, budget=1_500.0, least=least, most=most)

    value = float((first * scale * -np.expm1(-spend / scale) - spend).sum())
    best = by_slsqp(first, scale, 1_500.0, least, most)
    assert value >= best - 1e-3 * abs(best)
    assert spend.sum() <= 1_500.0
    free = (spend > least + 1e-6) & (spend < most - 1e-6)
    assert first[free] * np.exp(-spend[free] / scale[free]) == pytest.approx(1 + price)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.floats(0, 5_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.05, 1),
)
def test_no_guard_rail_is_ever_passed(seed, cells, budget, flexible, reserve, risk):
    flexible *= 1 - reserve
    random = np.random.default_rng(seed)
    curves = drawn(seed, cells)
    limits = {}
    for one in curves:
        floor = float(random.choice([0.0, 10.0]))
        limits[one.cell] = Limits(
            floor, floor + random.uniform(0, 400), pin=float(random.choice([0.0, 20.0])) or None
        )
    needed = sum(one.floor if one.pin is None else one.pin for one in limits.values())
    guards = Guards(flexible, reserve, risk)
    if needed > budget * (1 - reserve):
        with pytest.raises(InputError, match="floors and pins"):
            plan_budget(curves, budget=budget, guards=guards, limits=limits)
        return

    plan = plan_budget(curves, budget=budget, guards=guards, limits=limits)

    assert sum(cell.spend for cell in plan.cells) <= plan.to_spend + 1e-9
    assert plan.to_spend + plan.reserve == pytest.approx(budget)
    assert sum(cell.fixed for cell in plan.cells) <= guards.fixed * budget + 1e-9
    for cell in plan.cells:
        own = limits[cell.cell]
        assert own.pin is None or cell.spend == own.pin
        assert own.pin is not None or own.floor - 1e-9 <= cell.spend <= own.ceiling + 1e-9
        is_flexible = own.pin is None and cell.spend > max(cell.fixed, own.floor) + 1e-6
        assert not is_flexible or cell.chance_of_loss <= risk + 1e-6
        assert not is_flexible or cell.marginal >= guards.hurdle - 1e-6


def test_money_goes_where_the_next_unit_brings_most_and_stops_where_it_brings_less_than_it_costs():
    plan = plan_budget(
        [curve("good", 3.0, 100.0), curve("bad", 0.5, 100.0)],
        budget=1_000.0,
        guards=Guards(flexible=0.8, reserve=0.2),
    )

    good, bad = plan.cells
    assert good.spend == pytest.approx(100 * np.log(3))
    assert (bad.spend, bad.bound_by, plan.shadow_price) == (0.0, "worthless", 0.0)
    assert plan.reserve == 200.0


def test_the_fixed_part_stays_where_money_went_and_the_flexible_part_moves():
    curves = [curve("old", 1.2, 500.0, spend=300.0), curve("new", 3.0, 500.0, spend=0.0)]

    plan = plan_budget(curves, budget=1_000.0)

    by_offer = {cell.cell.offer_id: cell for cell in plan.cells}
    assert by_offer["old"].fixed == pytest.approx(400.0)
    assert by_offer["new"].spend == pytest.approx(400.0)
    assert by_offer["old"].bound_by == "fixed"


def test_a_cell_that_may_well_lose_gets_no_flexible_money_when_little_risk_is_taken():
    curves = [curve("sure", 1.5, 200.0, spread=0.05), curve("unsure", 1.6, 200.0, spread=2.0)]
    brave = plan_budget(curves, budget=500.0, guards=Guards(0.8, 0.2, risk=0.5))

    careful = plan_budget(curves, budget=500.0, guards=Guards(0.8, 0.2, risk=0.2))

    spends = [{c.cell.offer_id: c.spend for c in plan.cells} for plan in (brave, careful)]
    assert spends[0]["unsure"] > spends[0]["sure"]
    assert spends[1] == {"sure": pytest.approx(spends[1]["sure"]), "unsure": 0.0}


def test_more_budget_is_worth_the_shadow_price():
    curves, guards = drawn(5, 10), Guards(1.0, 0.0, risk=1.0)

    plan, more = (plan_budget(curves, budget=b, guards=guards) for b in (600.0, 601.0))

    assert more.expected - plan.expected - 1 == pytest.approx(plan.shadow_price, rel=0.01)
    assert plan.shadow_price > 0


def test_a_limit_on_a_cell_without_a_curve_is_refused():
    with pytest.raises(UnknownName, match="all/sms/nothing"):
        plan_budget([curve("a", 2, 10)], budget=1, limits={Cell("all", "sms", "nothing"): Limits()})


@pytest.mark.parametrize(
    ("shares", "says"),
    [({"flexible": 1.2}, "flexible is 1.2"), ({"flexible": 0.9, "reserve": 0.2}, "more than 1")],
)
def test_shares_that_are_none_are_refused(shares, says):
    with pytest.raises(InputError, match=says):
        Guards(**shares)


def test_limits_are_read_from_a_table_and_a_floor_above_a_ceiling_is_refused():
    table = {"segment": ["s"], "channel": ["c"], "offer_id": ["o"], "floor": [5.0], "pin": [np.nan]}
    assert limits_of_table(table)[Cell("s", "c", "o")] == Limits(floor=5.0)

    with pytest.raises(InputError, match="floor <= ceiling"):
        limits_of_table(table | {"ceiling": [4.0]})


def test_what_went_out_too_fast_is_saved_over_all_days_left():
    found = pace(700.0, 450.0, day=4, days=7)

    assert (found.due, found.says) == (400.0, "ahead")
    assert found.today == pytest.approx(250 / 3)


@given(st.floats(0, 1e6), st.floats(0, 2e6), st.integers(0, 30))
def test_a_period_is_never_overspent_and_used_up_on_its_last_day(planned, spent, day):
    found = pace(planned, spent, day=day, days=30)

    assert found.today <= max(planned - spent, 0.0)
    assert day != 29 or found.today == max(planned - spent, 0.0)
    assert day != 30 or found.today == 0.0


def test_a_saturday_that_counts_twice_gets_twice_as_much():
    assert pace(80.0, 50.0, day=5, days=7, weights=[1, 1, 1, 1, 1, 2, 1]).today == 20.0


def test_the_test_worth_most_is_of_the_cell_whose_answer_moves_most_money():
    curves = [
        curve("sure_good", 3.0, 300.0, spread=0.05),
        curve("open", 1.3, 300.0, spread=0.8),
        curve("sure_bad", 0.2, 300.0, spread=0.05),
    ]
    plan = plan_budget(curves, budget=700.0, guards=Guards(1.0, 0.0))

    found = next_tests(curves, plan, guards=Guards(1.0, 0.0))

    assert found[0].cell.offer_id == "open"
    assert found[0].spread_after < found[0].spread_before
    assert all(0 <= one.expected_gain <= one.if_certain + 1e-9 for one in found)
    assert found[-1].expected_gain == pytest.approx(0, abs=1e-3)


def test_the_expected_gain_is_what_deciding_after_the_test_really_adds():
    one = curve("open", 0.9, 300.0, spread=0.6, error=60.0)
    plan = plan_budget([one], budget=1_000.0, guards=Guards(1.0, 0.0, risk=1.0))
    [worth] = next_tests([one], plan, guards=Guards(1.0, 0.0))
    draw = np.random.default_rng(1)
    truth = draw.normal(0.9, 0.6, 400_000)
    counted = 300 * -np.expm1(-worth.spend / 300)
    seen = truth + draw.normal(0, 60.0 / counted, truth.size)
    trust = 0.36 / (0.36 + (60.0 / counted) ** 2)
    believed = 0.9 + trust * (seen - 0.9)
    spend = np.where(believed > 1, 300 * np.log(np.maximum(believed, 1e-9)), 0.0)

    gained = (believed * 300 * -np.expm1(-spend / 300) - spend).mean()

    assert worth.expected_gain == pytest.approx(gained, rel=0.05)


def test_a_plan_from_few_points_earns_more_than_an_even_split_in_truth():
    ours, even = 0.0, 0.0
    for seed in range(6):
        random = np.random.default_rng(seed)
        first, most = random.normal(1.5, 0.7, 12), random.uniform(200, 900, 12)
        scale = 0.8 * most
        spends = most * random.uniform(0.2, 0.8, (4, 12))
        effect = first * scale * -np.expm1(-spends / scale) + random.normal(0, 60, spends.shape)
        table = {
            "segment": ["all"] * 48,
            "channel": [f"c{n % 3}" for n in range(12)] * 4,
            "offer_id": [f"o{n:02d}" for n in range(12)] * 4,
            "spend": spends.ravel(),
            "effect": effect.ravel(),
            "standard_error": [60.0] * 48,
            "most": np.tile(most, 4),
        }
        plan = plan_budget(fit_curves(points_of(table)), budget=2_500.0, guards=Guards(0.8, 0.2))
        got = {cell.cell.offer_id: cell.spend for cell in plan.cells}
        given_ = np.array([got[f"o{n:02d}"] for n in range(12)])
        for total, way in ((0, given_), (1, np.minimum(2_000 / 12, most))):
            worth = float((first * scale * -np.expm1(-way / scale) - way).sum())
            ours, even = (ours + worth, even) if total == 0 else (ours, even + worth)

    assert ours > 1.2 * even


def test_a_cell_proven_to_lose_keeps_no_fixed_part_unless_a_person_gives_it_one():
    curves = [curve("loser", -0.5, 500.0), curve("winner", 1.4, 500.0)]
    given_ = {curves[0].cell: Limits(base=100.0)}

    plans = [plan_budget(curves, budget=1_000.0, limits=limits) for limits in ({}, given_)]

    lost = [next(c for c in plan.cells if c.cell.offer_id == "loser") for plan in plans]
    assert (lost[0].spend, lost[0].bound_by) == (0.0, "worthless")
    assert lost[1].spend == pytest.approx(200.0)
