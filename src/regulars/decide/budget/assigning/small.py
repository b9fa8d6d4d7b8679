"""Assign few customers exactly: with few, what rounding leaves over is not small change."""

import numpy as np

from regulars.decide.budget.assigning.problem import NOTHING, Choices, Floats, Problem

MOST_PAIRS = 600
_LOOKS = 30_000
_ROOM = 1e-9


def assign_few(problem: Problem, start: Choices, prices: Floats) -> Choices:
    """Look for a better whole assignment of a small problem.

    At the prices every action loses something against the best one of its customer; a choice
    is worth the bound less all losses and less what stays unused, at its price. So whatever
    loses more than the gap that is left need not be looked at.

    Args:
        problem: The problem.
        start: A choice within the limits.
        prices: Prices of the limits.

    Returns:
        The best choice there is, or the best found in 30,000 looks; `start` when the problem
        has more than 600 open pairs of customer and action.

    Source:
        Dyer, Kayal & Walsh (1984), "A branch and bound algorithm for solving the
        multiple-choice knapsack problem", J. Computational and Applied Mathematics 11(2).
    """
    if np.count_nonzero(problem.values > 0) > MOST_PAIRS:
        return start
    search = _Search(problem, start, prices)
    search.run()
    return search.best


class _Search:
    """A search in depth, customer by customer, those with the most to lose first."""

    def __init__(self, problem: Problem, start: Choices, prices: Floats) -> None:
        self._problem, self.best = problem, start
        self._most = problem.value_of(start)
        self._options = _options(problem, prices)
        least = [one[1][0] if len(one) > 1 else np.inf for one in self._options]
        self._order = np.argsort(-np.array(least), kind="stable").tolist()
        net = problem.net(prices, slice(None)).max(axis=1)
        self._bound = float(np.maximum(net, 0).sum() + prices @ problem.limits)

    def run(self) -> None:
        """Look at every choice that may be better than the best so far."""
        picked = np.full(self._problem.customers, NOTHING, np.int16)
        # How many are decided on, which way to try next, what is lost and used so far.
        stack = [(0, 0, 0.0, np.zeros(len(self._problem.limits)))]
        looks = 0
        while stack and looks < _LOOKS:
            depth, place, lost, used = stack.pop()
            if depth == len(self._order):
                self._keep(picked)
                continue
            row = self._order[depth]
            if place == len(self._options[row]):
                continue
            loss, action, use = self._options[row][place]
            looks += 1
            if lost + loss >= self._bound - self._most:
                continue
            stack.append((depth, place + 1, lost, used))
            if (used + use <= self._problem.limits + _ROOM).all():
                picked[row] = action
                stack.append((depth + 1, 0, lost + loss, used + use))

    def _keep(self, picked: Choices) -> None:
        value = self._problem.value_of(picked)
        if value > self._most:
            self.best, self._most = picked.copy(), value


def _options(problem: Problem, prices: Floats) -> list[list[tuple[float, int, Floats]]]:
    """Give by customer the ways there are, nothing included, as loss, action and use."""
    found = []
    for row in range(problem.customers):
        net = problem.net(prices, slice(row, row + 1))[0]
        ways = [(0.0, NOTHING, np.zeros(len(problem.limits)))]
        for action in np.flatnonzero(problem.values[row] > 0).tolist():
            use = np.concatenate([[problem.costs[row, action]], problem.counted[action]])
            ways.append((float(net[action]), action, use))
        top = max(worth for worth, _, _ in ways)
        losses = [(top - worth, action, use) for worth, action, use in ways]
        found.append(sorted(losses, key=lambda way: (way[0], way[1])))
    return found
