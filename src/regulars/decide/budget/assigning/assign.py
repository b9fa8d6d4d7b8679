"""Assign offers to customers under a budget, stock and channel capacity, with a price for each."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.budget.assigning.narrowing import price_all
from regulars.decide.budget.assigning.problem import Choices, Problem, pose, respond
from regulars.decide.budget.assigning.rounding import exact_cost, fit, mix
from regulars.decide.budget.assigning.small import assign_few
from regulars.numerics.given import floats_given


@dataclass(frozen=True)
class Assigned:
    """Who gets what, and how far from the best it can be.

    Attributes:
        choice: Action of each customer, -1 for none; shape (customers,).
        value: Value of all chosen actions.
        spend: What they cost, never above the budget.
        bound: No assignment within the limits is worth more; it is that of the linear
            relaxation, without actions that cost more than the whole budget.
        shadow_price: Value the last unit of the budget bought; 0 when it is not used up.
        stock_prices: Value of one more of each offer that is short.
        capacity_prices: Value of one more contact by each channel that is short.
    """

    choice: Choices
    value: float
    spend: float
    bound: float
    shadow_price: float
    stock_prices: Mapping[Hashable, float]
    capacity_prices: Mapping[Hashable, float]

    @property
    def gap(self) -> float:
        """Share of the bound that is missing, 0 to 1."""
        return max(0.0, 1 - self.value / self.bound) if self.bound > 0 else 0.0


def assign(
    values: ArrayLike,
    costs: ArrayLike,
    *,
    budget: float | None = None,
    stock: Mapping[Any, float] | None = None,
    capacity: Mapping[Any, float] | None = None,
    offers: Sequence[Hashable] | None = None,
    channels: Sequence[Hashable] | None = None,
) -> Assigned:
    """Give each customer at most one action so that the whole is worth most within the limits.

    Everything that is short has one price, the same for all; each customer gets what is worth
    most to the retailer after paying these prices, or nothing. Ties are split as the limits
    ask, and what rounding leaves over goes to the next in line.

    Args:
        values: Incremental value of each action after every cost; -inf where it is closed;
            shape (customers, actions).
        costs: What each takes from the budget, 0 or more; shape (actions,) or
            (customers, actions).
        budget: Most that may be spent; None for no limit.
        stock: Most contacts by offer; offers not named have no limit.
        capacity: Most contacts by channel; channels not named have no limit.
        offers: Offer of each action; the number of its column by default.
        channels: Channel of each action; one for all by default.

    Returns:
        The assignment, with the bound that says how good it is. Nobody gets an action whose
        value is not above 0. The same input gives the same assignment.

    Raises:
        InputError: Shapes differ, a value is nan, a cost or a limit is negative.
        UnknownName: A limit names an offer or a channel no action has.

    Source:
        Sinha & Zoltners (1979), "The multiple-choice knapsack problem", Operations Research
        27(3), with several limits; prices by cutting planes.

    Example:
        >>> found = assign([[5.0, 4.0], [3.0, 2.9], [1.0, -1.0]], [2.0, 1.0], budget=3.0)
        >>> found.choice.tolist(), found.spend, found.value
        ([0, 1, -1], 3.0, 7.9)
    """
    given = floats_given(values, "values", axes=None, may_lack=True, may_be_infinite=True)
    actions = given.shape[1] if given.ndim == 2 else 0
    named = pose(
        given,
        costs,
        budget=budget,
        stock=stock or {},
        capacity=capacity or {},
        offers=list(range(actions)) if offers is None else offers,
        channels=[""] * actions if channels is None else channels,
    )
    problem = named.problem
    if not (problem.values > 0).any():
        nobody = np.full(problem.customers, -1, np.int16)
        return Assigned(nobody, 0.0, 0.0, 0.0, 0.0, {}, {})
    still, choice, priced = price_all(problem)
    choice[still] = mix(priced)
    choice = fit(problem, choice, priced.prices)
    exact = fit(problem, assign_few(problem, choice, priced.prices), priced.prices)
    choice = max(choice, exact, key=problem.value_of)
    by_kind: dict[str, dict[Hashable, float]] = {"budget": {}, "stock": {}, "capacity": {}}
    for (kind, name), price in zip(named.names, priced.prices, strict=True):
        by_kind[kind][name] = float(price)
    return Assigned(
        choice,
        problem.value_of(choice),
        exact_cost(problem, choice),
        _bound(problem, priced.prices),
        by_kind["budget"][""],
        by_kind["stock"],
        by_kind["capacity"],
    )


def _bound(problem: Problem, prices: np.ndarray) -> float:
    """Give the dual at the prices, counted over everybody: it holds whatever the prices are."""
    said = respond(problem, prices)
    return said.value + float(prices @ (problem.limits - said.use))
