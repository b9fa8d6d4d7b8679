"""Allocate a budget over customers and actions by one shadow price."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, number_given


@dataclass(frozen=True)
class Allocation:
    """Who gets what.

    Attributes:
        choice: Index of the action chosen per customer, -1 for none; shape (customers,).
        shadow_price: Value the last unit of budget bought; 0 when the budget is not used up.
        spend: Cost of all chosen actions.
    """

    choice: NDArray[np.int64]
    shadow_price: float
    spend: float


def allocate(values: ArrayLike, costs: ArrayLike, *, budget: float) -> Allocation:
    """Choose at most one action per customer so that total value is greatest within a budget.

    An action is worth taking when its value is above the shadow price times its cost. The
    price rises until the chosen actions fit the budget; what is left is filled with the
    customers next in line.

    Args:
        values: Incremental value of each action, after every cost; -inf where it is not
            allowed; shape (customers, actions).
        costs: What each action takes from the budget, > 0; shape (actions,) or
            (customers, actions).
        budget: Most that may be spent, >= 0.

    Returns:
        The allocation. Nobody is chosen where every value is negative.

    Raises:
        InputError: Shapes do not fit, a value is nan or endless, a cost is not above 0, or the
            budget is negative or nan.

    Source:
        Sinha & Zoltners (1979), "The multiple-choice knapsack problem", Operations Research
        27(3): the linear relaxation is solved by one multiplier.

    Example:
        >>> found = allocate(np.array([[5.0], [3.0], [-1.0]]), np.array([1.0]), budget=1.0)
        >>> found.choice.tolist(), found.spend
        ([0, -1, -1], 1.0)
    """
    values = floats_given(values, "values", axes=2, may_be_infinite=True)
    paid = floats_given(costs, "costs", axes=None)
    if (values == np.inf).any():
        raise InputError("a value is infinite; give a number, -inf where an action is closed")
    if paid.shape not in {(), values.shape[1:], values.shape}:
        raise InputError(
            f"costs have shape {paid.shape}, values {values.shape}; give a cost per action, or per "
            "customer and action"
        )
    costs = np.broadcast_to(paid, values.shape)
    if not (paid > 0).all():
        raise InputError(f"a cost is {paid.min():g}, must be above 0; give what a contact costs")
    budget = number_given(budget, "budget", least=0)
    price = _price(values, costs, budget)
    choice, score = _best(values, costs, price)
    spend = _spend(choice, costs)
    if price > 0:
        choice, spend = _fill(values, costs, choice, score, budget)
    return Allocation(choice, price, spend)


def _best(
    values: NDArray[np.float64], costs: NDArray[np.float64], price: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    net = values - price * costs
    choice = net.argmax(axis=1)
    score = net[np.arange(len(net)), choice]
    return np.where(score > 0, choice, -1), score


def _spend(choice: NDArray[np.int64], costs: NDArray[np.float64]) -> float:
    chosen = np.flatnonzero(choice >= 0)
    return float(costs[chosen, choice[chosen]].sum())


def _price(values: NDArray[np.float64], costs: NDArray[np.float64], budget: float) -> float:
    if _spend(_best(values, costs, 0.0)[0], costs) <= budget:
        return 0.0
    low, high = 0.0, float(np.max(values / costs)) + 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _spend(_best(values, costs, middle)[0], costs) > budget:
            low = middle
        else:
            high = middle
    return high


def _fill(
    values: NDArray[np.float64],
    costs: NDArray[np.float64],
    choice: NDArray[np.int64],
    score: NDArray[np.float64],
    budget: float,
) -> tuple[NDArray[np.int64], float]:
    """Spend what the price left over, on the customers just under it."""
    choice = choice.copy()
    spend = _spend(choice, costs)
    waiting = np.flatnonzero((choice < 0) & (values.max(axis=1) > 0))
    for customer in waiting[np.argsort(-score[waiting], kind="stable")][:1000]:
        worth = np.where(values[customer] > 0, values[customer] / costs[customer], -np.inf)
        action = int(worth.argmax())
        if spend + costs[customer, action] <= budget:
            choice[customer] = action
            spend += float(costs[customer, action])
    return choice, spend
