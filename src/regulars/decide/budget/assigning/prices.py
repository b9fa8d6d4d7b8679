"""Find the prices of what is short: the dual of the assignment, by cutting planes."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from regulars.decide.budget.assigning.problem import Choices, Floats, Problem, respond

_INSIDE = 0.7
_TOLERANCE = 1e-6
_MOST_ROUNDS = 400
_WEIGHTLESS = 1e-9
_EDGE = 1e-12


@dataclass(frozen=True)
class Priced:
    """Prices, and the choices a best fractional assignment is mixed from.

    Attributes:
        prices: Value of one more of each limit; shape (limits,).
        bound: No assignment of the problem is worth more.
        choices: Choices with a weight, shape (mixed, customers).
        weights: Share of each, above 0, summing to 1; shape (mixed,).
        at_edge: True where a price stands at the end of the range it was sought in.
    """

    prices: Floats
    bound: float
    choices: Choices
    weights: Floats
    at_edge: bool


@dataclass(frozen=True)
class Range:
    """Where prices are sought, and what customers outside the problem add.

    Attributes:
        low: Least price of each limit.
        high: Most.
        start: Where the search begins.
        value: Value of whoever is settled already.
        use: What they use of each limit.
    """

    low: Floats
    high: Floats
    start: Floats
    value: float
    use: Floats


def find_prices(problem: Problem, within: Range) -> Priced:
    """Find the prices at which what customers want fits the limits, on average of few choices.

    The dual is the sum over customers of their best net value, plus limits times prices: convex
    and piecewise linear. Each look at it gives a plane below it; the lowest point of the planes
    is looked at next, drawn towards the best point so far. The weights of the planes at the end
    mix their choices into a best fractional assignment, ties split as the limits ask.

    Args:
        problem: Customers not settled yet.
        within: The range of prices, and whoever is settled.

    Returns:
        The prices, within one part in a million of the best bound in the range.

    Source:
        Kelley (1960), "The cutting-plane method for solving convex programs", J. SIAM 8(4);
        drawn inwards as by Ben-Ameur & Neto (2007), Networks 49(1); mixing as by Dantzig & Wolfe
        (1960), Operations Research 8(1).
    """
    scale = max(within.value + float(np.maximum(problem.values.max(axis=1), 0).sum()), 1e-300)
    planes = _Planes(problem, within, scale)
    point = centre = within.start / planes.unit
    best, weights = np.inf, np.ones(1)
    for _round in range(_MOST_ROUNDS):
        height = planes.look(point)
        if height < best:
            best, centre = height, point
        lowest, floor, weights = planes.lowest()
        if best - floor <= _TOLERANCE * max(best, _WEIGHTLESS):
            break
        point = _INSIDE * centre + (1 - _INSIDE) * lowest
    held = weights > _WEIGHTLESS
    mixed = np.stack([one for one, has in zip(planes.choices, held, strict=True) if has])
    share = weights[held] / weights[held].sum()
    return Priced(centre * planes.unit, best * scale, mixed, share, planes.is_at_edge(centre))


class _Planes:
    """Planes below the dual, in units in which every limit and the value of all are 1."""

    def __init__(self, problem: Problem, within: Range, scale: float) -> None:
        self.unit = scale / problem.limits
        self._problem, self._within, self._scale = problem, within, scale
        self._low, self._high = within.low / self.unit, within.high / self.unit
        self._values: list[float] = []
        self._uses: list[Floats] = []
        self.choices: list[Choices] = []

    def look(self, point: Floats) -> float:
        """Give the dual at a point and keep the plane below it."""
        said = respond(self._problem, point * self.unit)
        value = (self._within.value + said.value) / self._scale
        use = (self._within.use + said.use) / self._problem.limits
        self._values.append(value)
        self._uses.append(use)
        self.choices.append(said.choice)
        return value + float(point @ (1 - use))

    def lowest(self) -> tuple[Floats, float, Floats]:
        """Give the lowest point over all planes, its height, and the weight of each plane."""
        use = np.stack(self._uses)
        found = linprog(
            np.ones(use.shape[1] + 1),
            A_ub=np.column_stack([-np.ones(len(use)), -use]),
            b_ub=-np.array(self._values),
            bounds=[(None, None), *zip(self._low, self._high, strict=True)],
            method="highs-ds",
        )
        return found.x[1:], float(found.fun), -found.ineqlin.marginals

    def is_at_edge(self, point: Floats) -> bool:
        """Say whether a price stands at an end of the range, other than nothing."""
        bottom = (point - self._low <= _EDGE) & (self._low > 0)
        return bool((bottom | (self._high - point <= _EDGE)).any())
