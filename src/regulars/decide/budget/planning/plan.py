"""The plan of one period: where the money goes, by curves and guard rails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from regulars.decide.budget.curves import Cell, Curve
from regulars.decide.budget.planning.guards import Guards, Limits
from regulars.decide.budget.planning.water_filling import fill
from regulars.errors import UnknownName
from regulars.numerics.given import number_given

Floats = NDArray[np.float64]

_NONE = Limits()
_HALVINGS = 60


@dataclass(frozen=True)
class PlannedCell:
    """What one cell gets.

    Attributes:
        cell: Segment, channel and offer.
        spend: Money, fixed and flexible part together.
        fixed: The part that goes where it went before.
        before: What was spent per measured period on average.
        expected: Margin it is expected to bring, before its own cost.
        low: Lower end of the interval of that, 90 %.
        high: Upper end.
        marginal: What one more unit of money in the cell would bring.
        chance_of_loss: Probability that it would bring less than the hurdle.
        bound_by: What holds it: price, floor, ceiling, pin, risk, worthless (not even the
            first unit is worth it) or fixed (it has more than is worth it).
    """

    cell: Cell
    spend: float
    fixed: float
    before: float
    expected: float
    low: float
    high: float
    marginal: float
    chance_of_loss: float
    bound_by: str


@dataclass(frozen=True)
class Plan:
    """Where a budget goes.

    Attributes:
        budget: All of it.
        reserve: Kept back.
        to_spend: Most that may be spent: budget less reserve.
        spend: What is planned to be spent; less where nothing more is worth it.
        expected: Margin expected of it, before its own cost.
        shadow_price: What one more unit of money would bring above the hurdle; 0 when money
            is left.
        cells: What each cell gets, the largest first.
    """

    budget: float
    reserve: float
    to_spend: float
    spend: float
    expected: float
    shadow_price: float
    cells: tuple[PlannedCell, ...]


def plan_budget(
    curves: Sequence[Curve],
    *,
    budget: float,
    guards: Guards | None = None,
    limits: Mapping[Cell, Limits] | None = None,
) -> Plan:
    """Plan a budget over cells.

    The reserve is kept back. The fixed part goes where money went before, but for cells proven
    to lose. The flexible part
    goes where the next unit brings most, within floors and ceilings, no further than the risk
    allows and not below the hurdle. Pins come first and are kept to the letter.

    Args:
        curves: Response of each cell in one period.
        budget: Money of the period, 0 or more.
        guards: Shares, risk and hurdle.
        limits: Floors, ceilings, bases and pins by cell.

    Returns:
        The plan. No sum is above its limit.

    Raises:
        InputError: Floors and pins are more than may be spent.
        UnknownName: A limit names a cell there is no curve for.

    Source:
        Water-filling by one price; shares and reserve are *ours, because* a plan that follows
        every new figure at once follows noise.

    Example:
        >>> from regulars.decide.budget import fit_curves, points_of
        >>> table = {"segment": ["all"] * 4, "channel": ["sms", "sms", "mail", "mail"],
        ...          "offer_id": ["A"] * 4, "spend": [100.0, 200.0] * 2,
        ...          "effect": [300.0, 500.0, 90.0, 150.0], "standard_error": [20.0] * 4}
        >>> plan = plan_budget(fit_curves(points_of(table)), budget=500.0)
        >>> [(one.cell.channel, round(one.spend)) for one in plan.cells], round(plan.reserve)
        ([('sms', 300), ('mail', 100)], 100)
    """
    rules, known = guards or Guards(), dict(limits or {})
    cells = [curve.cell for curve in curves]
    for cell in known.keys() - set(cells):
        raise UnknownName("cell", str(cell), [str(one) for one in cells])
    number_given(budget, "budget", least=0, below=np.inf)
    each = [known.get(cell, _NONE) for cell in cells]
    reserve = rules.reserve * budget
    to_spend = budget - reserve
    bounds = _bounds(curves, each, rules, budget=budget, to_spend=to_spend)
    spend, price = fill(
        [curve.first_return for curve in curves],
        [curve.saturation for curve in curves],
        budget=to_spend,
        least=bounds.low,
        most=bounds.high,
        hurdle=rules.hurdle,
    )
    planned = [
        _planned(curve, float(spend[n]), float(bounds.fixed[n]), rules, bounds.why(n, spend[n]))
        for n, curve in enumerate(curves)
    ]
    planned.sort(key=lambda one: (-one.spend, one.cell))
    expected = fsum(one.expected for one in planned)
    return Plan(budget, reserve, to_spend, fsum(spend), expected, price, tuple(planned))


@dataclass(frozen=True)
class _Bounds:
    low: Floats
    high: Floats
    fixed: Floats
    by_risk: Floats
    worth: Floats
    each: Sequence[Limits]

    def why(self, place: int, spend: float) -> str:
        """Say what holds a cell where it is."""
        limits, near = self.each[place], 1e-9 * max(1.0, spend)
        if limits.pin is not None:
            return "pin"
        if spend > self.low[place] + near:
            if spend < self.high[place] - near:
                return "price"
            return "risk" if self.by_risk[place] < limits.ceiling else "ceiling"
        if limits.floor >= self.low[place] - near and limits.floor > 0:
            return "floor"
        if self.fixed[place] > 0:
            return "fixed"
        return "worthless" if self.worth[place] <= 0 else "risk"


def _bounds(
    curves: Sequence[Curve],
    each: Sequence[Limits],
    rules: Guards,
    *,
    budget: float,
    to_spend: float,
) -> _Bounds:
    floor = np.array([one.floor for one in each])
    ceiling = np.array([
        min(one.ceiling, curve.most) for one, curve in zip(each, curves, strict=True)
    ])
    pin = np.array([np.nan if one.pin is None else one.pin for one in each])
    is_pinned = ~np.isnan(pin)
    base = np.array([_base(curve, one, rules) for one, curve in zip(each, curves, strict=True)])
    free = to_spend - fsum(pin[is_pinned])
    part = min(rules.fixed * budget, max(free, 0.0))
    shared = np.where(is_pinned, 0.0, base)
    fixed = np.minimum(part * shared / shared.sum() if shared.sum() > 0 else 0 * shared, ceiling)
    fixed *= _kept(np.where(is_pinned, 0.0, floor), fixed, free)
    by_risk = np.array([_spend_at_risk(curve, rules) for curve in curves])
    low = np.where(is_pinned, pin, np.maximum(floor, fixed))
    high = np.where(is_pinned, pin, np.maximum(low, np.minimum(ceiling, by_risk)))
    worth = np.array([curve.first_return - rules.hurdle for curve in curves])
    return _Bounds(low, high, np.where(is_pinned, 0.0, fixed), by_risk, worth, each)


def _kept(floor: Floats, fixed: Floats, free: float) -> float:
    """Give the share of the fixed part that is left once floors that need more have it."""
    low, high = 0.0, 1.0
    if fsum(np.maximum(floor, fixed)) <= free:
        return high
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        fits = fsum(np.maximum(floor, middle * fixed)) <= free
        low, high = (middle, high) if fits else (low, middle)
    return low


def _base(curve: Curve, limits: Limits, rules: Guards) -> float:
    """Give what the fixed part of a cell goes by: nothing where it is proven to lose."""
    if limits.base is not None:
        return limits.base
    return 0.0 if curve.chance_of_loss(0.0, hurdle=rules.hurdle) >= rules.loss else curve.spend


def _spend_at_risk(curve: Curve, rules: Guards) -> float:
    """Give the spend at which the chance of loss of the next unit reaches what is allowed."""
    low, high = 0.0, float(min(curve.most, 50 * curve.saturation))
    if rules.risk >= 1 or curve.chance_of_loss(high, hurdle=rules.hurdle) <= rules.risk:
        return float("inf")
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        is_safe = curve.chance_of_loss(middle, hurdle=rules.hurdle) <= rules.risk
        low, high = (middle, high) if is_safe else (low, middle)
    return low


def _planned(curve: Curve, spend: float, fixed: float, rules: Guards, why: str) -> PlannedCell:
    low, high = curve.interval(spend)
    return PlannedCell(
        curve.cell,
        spend,
        min(fixed, spend),
        curve.spend,
        float(curve.value(spend)),
        float(low),
        float(high),
        float(curve.marginal(spend)),
        curve.chance_of_loss(spend, hurdle=rules.hurdle),
        why,
    )
