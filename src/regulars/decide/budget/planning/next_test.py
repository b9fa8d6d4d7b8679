"""Value of information: which cell to test next, because knowing more of it moves most money."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from regulars.decide.budget.curves import Cell, Curve
from regulars.decide.budget.curves.curve import gain
from regulars.decide.budget.planning.guards import Guards
from regulars.decide.budget.planning.plan import Plan

Floats = NDArray[np.float64]

_WORLDS = 400
_TEST_SHARE = 0.25


@dataclass(frozen=True)
class InformationValue:
    """What a test of one cell is worth.

    Attributes:
        cell: Segment, channel and offer to be tested.
        spend: Money the test puts into it for one period.
        expected_gain: Margin per period that the answer is expected to add.
        if_certain: The same if the answer were certain: no test is worth more.
        cost: What the test is expected to lose against the plan.
        net: Gain over the horizon less the cost.
        spread_before: Standard deviation of the first return now.
        spread_after: What is expected to be left of it.
        chance_it_moves: Probability that the answer takes the cell over the edge: into the plan
            where it is not, out of it where it is.
    """

    cell: Cell
    spend: float
    expected_gain: float
    if_certain: float
    cost: float
    net: float
    spread_before: float
    spread_after: float
    chance_it_moves: float


def next_tests(
    curves: Sequence[Curve], plan: Plan, *, guards: Guards | None = None, periods: float = 4.0
) -> list[InformationValue]:
    """Rank tests by what their answers are expected to add.

    At the plan's price each cell takes the spend that is best for what is believed of it. A test
    narrows the belief; the expected gain is what deciding after it adds on average over the
    answers it may have, against deciding now.

    Args:
        curves: What is believed.
        plan: The plan made of it.
        guards: Those of the plan.
        periods: Periods the answer is of use for.

    Returns:
        One per cell, the most valuable first.

    Source:
        Raiffa & Schlaifer (1961), "Applied Statistical Decision Theory", ch. 5: expected value
        of sample information, one cell at a time at a fixed price of money.

    Example:
        >>> from regulars.decide.budget import fit_curves, plan_budget, points_of
        >>> table = {"segment": ["all"] * 4, "channel": ["sms", "sms", "mail", "mail"],
        ...          "offer_id": ["A"] * 4, "spend": [100.0, 200.0] * 2,
        ...          "effect": [300.0, 500.0, 90.0, 150.0], "standard_error": [5.0, 5.0, 60, 60]}
        >>> curves = fit_curves(points_of(table))
        >>> next_tests(curves, plan_budget(curves, budget=500.0))[0].cell.channel
        'mail'
    """
    rules = guards or Guards()
    price = rules.hurdle + plan.shadow_price
    errors = [one.error for one in curves if np.isfinite(one.error)]
    usual = float(np.median(errors)) if errors else float("nan")
    spent = {one.cell: one.spend for one in plan.cells}
    found = [_worth(one, spent.get(one.cell, 0.0), price, usual, periods) for one in curves]
    return sorted(found, key=lambda one: (-one.net, one.cell))


def _worth(
    curve: Curve, planned: float, price: float, usual: float, periods: float
) -> InformationValue:
    least = _TEST_SHARE * min(curve.saturation, curve.most)
    spend = max(planned, least)
    counted = float(gain(spend, curve.saturation))
    error = curve.error if np.isfinite(curve.error) else usual
    # Without any measured effect a test is taken to tell half of what there is to be told.
    noise = error / counted if np.isfinite(error) and counted > 0 else curve.spread
    before = curve.spread**2
    told = before / (before + noise**2) if before > 0 else 0.0
    normal = ndtri((np.arange(_WORLDS) + 0.5) / _WORLDS)
    answers = curve.first_return + np.sqrt(before * told) * normal
    certain = curve.first_return + np.sqrt(before) * normal
    now = float(_best(np.array([curve.first_return]), curve, price)[0])
    gained = max(float(_best(answers, curve, price).mean()) - now, 0.0)
    most = max(float(_best(certain, curve, price).mean()) - now, 0.0)
    cost = max(now - float(curve.value(spend) - price * spend), 0.0)
    moves = (answers > price) != (curve.first_return > price)
    return InformationValue(
        curve.cell,
        spend,
        gained,
        most,
        cost,
        gained * periods - cost,
        float(np.sqrt(before)),
        float(np.sqrt(before * (1 - told))),
        float(moves.mean()),
    )


def _best(returns: Floats, curve: Curve, price: float) -> Floats:
    """Give what a cell adds at its best spend, after the price of money, for each first return."""
    wanted = curve.saturation * np.log(np.maximum(returns, 1e-300) / price)
    spend = np.clip(wanted, 0.0, curve.most)
    return np.asarray(returns * gain(spend, curve.saturation) - price * spend)
