"""From shares of choices to one choice each: ties split evenly, limits kept, little left over."""

from math import fsum

import numpy as np
from numpy.typing import NDArray

from regulars.decide.budget.assigning.prices import Priced
from regulars.decide.budget.assigning.problem import NOTHING, Choices, Floats, Problem

_GOLDEN = 0.6180339887498949
_LOOKED_AT = 20_000
_PASSES = 4


def mix(priced: Priced) -> Choices:
    """Give each open customer one of the choices they are mixed from.

    Where the choices differ, customers take turns along a sequence that keeps every share
    even, so that limits are met but for a few.

    Returns:
        One choice per open customer.
    """
    choice: Choices = priced.choices[0].copy()
    differs = np.flatnonzero((priced.choices != choice).any(axis=0))
    if not len(differs):
        return choice
    among = priced.choices[:, differs]
    order = np.lexsort([*among[::-1]])
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) * _GOLDEN % 1.0
    pick = np.searchsorted(priced.weights.cumsum()[:-1], place, side="right")
    choice[differs] = among[pick, np.arange(len(differs))]
    return choice


def fit(problem: Problem, choice: Choices, prices: Floats) -> Choices:
    """Keep within every limit, and use what is left on whoever is next.

    Args:
        problem: The problem.
        choice: One choice per customer, about within the limits.
        prices: Prices of the limits.

    Returns:
        The choice; its cost, summed exactly, is within the budget, and no count above its limit.
    """
    choice = _undo(problem, choice.copy(), prices)
    for _pass in range(_PASSES):
        if not _use_up(problem, choice, prices):
            break
    return _undo(problem, choice, prices)


def exact_cost(problem: Problem, choice: Choices) -> float:
    """Give what a choice costs, summed without rounding until the end."""
    rows = np.flatnonzero(choice >= 0)
    return fsum(problem.costs[rows, choice[rows]].tolist())


def _undo(problem: Problem, choice: Choices, prices: Floats) -> Choices:
    """Take from whom it is least missed until nothing is over its limit."""
    for limit, most in enumerate(problem.limits):
        use = exact_cost(problem, choice) if limit == 0 else problem.use_of(choice)[limit]
        if use <= most:
            continue
        rows = np.flatnonzero(choice >= 0)
        uses = (
            problem.costs
            if limit == 0
            else np.broadcast_to(problem.counted[:, limit - 1], problem.values.shape)
        )
        used = uses[rows, choice[rows]]
        rows, used = rows[used > 0], used[used > 0]
        taken = choice[rows]
        net = problem.values[rows, taken] - prices[0] * problem.costs[rows, taken]
        net -= (problem.counted @ prices[1:])[taken]
        line = np.lexsort([rows, -used, net / used])
        gone = int(np.searchsorted(used[line].cumsum(), use - most)) + 1
        choice[rows[line[:gone]]] = NOTHING
        # A sum in another order may be off by the last digit.
        while limit == 0 and exact_cost(problem, choice) > most:
            choice[rows[line[gone]]] = NOTHING
            gone += 1
    return choice


def _use_up(problem: Problem, choice: Choices, prices: Floats) -> bool:
    """Give what is left to whom it is worth most at the prices; say whether anything changed."""
    left = problem.limits - problem.use_of(choice)
    left[0] = problem.limits[0] - exact_cost(problem, choice)
    rows, actions = _next_in_line(problem, choice, prices, left)
    counted, changed = problem.counted, False
    seen: set[int] = set()
    for row, action in zip(rows.tolist(), actions.tolist(), strict=True):
        if row in seen:
            continue
        had = int(choice[row])
        more = np.concatenate([[problem.costs[row, action]], counted[action]])
        if had >= 0:
            more -= np.concatenate([[problem.costs[row, had]], counted[had]])
        if (more <= left).all():
            choice[row] = action
            left -= more
            seen.add(row)
            changed = True
    return changed


def _next_in_line(
    problem: Problem, choice: Choices, prices: Floats, left: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give changes that add value and may fit, best at the prices first."""
    found: list[tuple[Floats, NDArray[np.int64], NDArray[np.int64]]] = []
    fits = (problem.counted <= left[1:]).all(axis=1) if len(left) > 1 else True
    paid = problem.counted @ prices[1:]
    for part in problem.chunks():
        values, costs, had = problem.values[part], problem.costs[part], choice[part]
        has = had >= 0
        value = np.where(has, np.take_along_axis(values, had[:, None], 1)[:, 0], 0.0)
        cost = np.where(has, np.take_along_axis(costs, had[:, None], 1)[:, 0], 0.0)
        own = np.where(has, prices[0] * cost + paid[had], 0.0)
        may = (values > value[:, None]) & (costs - cost[:, None] <= left[0])
        may &= fits | has[:, None]
        rows, actions = np.nonzero(may)
        gain = problem.net(prices, part)[rows, actions] - (value - own)[rows]
        best = np.argsort(-gain, kind="stable")[:_LOOKED_AT]
        found.append((gain[best], rows[best] + part.start, actions[best]))
    gain, rows, actions = (np.concatenate(column) for column in zip(*found, strict=True))
    best = np.argsort(-gain, kind="stable")[:_LOOKED_AT]
    return rows[best], actions[best]
