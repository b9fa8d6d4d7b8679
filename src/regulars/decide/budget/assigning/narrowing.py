"""Price a million customers by pricing a sample first, then only whom the price leaves open."""

import numpy as np
from numpy.typing import NDArray

from regulars.decide.budget.assigning.prices import Priced, Range, find_prices
from regulars.decide.budget.assigning.problem import Choices, Floats, Problem, respond

_SAMPLE = 20_000
_WIDTHS = 8
_SEED = 1979


def price_all(problem: Problem) -> tuple[NDArray[np.int64], Choices, Priced]:
    """Find the prices of a problem of any size.

    A sample says about where prices lie. Whoever would do the same at every price around there
    is settled; the prices are then found exactly with the others. Prices at the end of the
    range looked at are looked for again in a wider one.

    Args:
        problem: The problem.

    Returns:
        Customers left open (their rows), the choice of everybody at the prices, and the
        prices with the choices of those left open.
    """
    everybody = np.arange(problem.customers)
    if problem.customers <= _SAMPLE:
        found = find_prices(problem, _anywhere(problem))
        return everybody, respond(problem, found.prices).choice, found
    draw = np.random.Generator(np.random.Philox(_SEED))
    rows = np.sort(draw.choice(problem.customers, _SAMPLE, replace=False))
    share = _SAMPLE / problem.customers
    sample = problem.only(rows, problem.limits * share)
    centre = find_prices(sample, _anywhere(sample)).prices
    scale = float(np.maximum(sample.values.max(axis=1), 0).sum()) / share / problem.limits
    width = 0.02 * centre + 0.0005 * scale
    for _widening in range(_WIDTHS):
        choice, is_open = _split(problem, centre, width)
        settled = np.where(is_open, np.int16(-1), choice)
        within = Range(
            np.maximum(centre - width, 0.0),
            centre + width,
            centre,
            problem.value_of(settled),
            problem.use_of(settled),
        )
        still = np.flatnonzero(is_open)
        found = find_prices(problem.only(still, problem.limits), within)
        if not found.at_edge:
            break
        centre, width = found.prices, width * 4
    return still, choice, found


def _anywhere(problem: Problem) -> Range:
    """Any price there can be: above it nobody would want anything."""
    nothing = np.zeros(len(problem.limits))
    most = float(np.maximum(problem.values.max(initial=0.0), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return_of = problem.values / problem.costs
    dearest = float(np.max(return_of, where=np.isfinite(return_of), initial=0.0))
    high = np.full(len(problem.limits), most + 1e-9)
    high[0] = dearest + 1e-9
    return Range(nothing, high, nothing, 0.0, nothing)


def _split(problem: Problem, centre: Floats, width: Floats) -> tuple[Choices, NDArray[np.bool_]]:
    """Give everybody's choice at the centre, and who might choose otherwise within the width."""
    choice = np.empty(problem.customers, np.int16)
    is_open = np.empty(problem.customers, bool)
    moved = problem.counted @ width[1:]
    for rows in problem.chunks():
        net, costs = problem.net(centre, rows), problem.costs[rows]
        here = np.arange(len(net))
        best = net.argmax(axis=1)
        top, paid = net[here, best], costs[here, best]
        takes = top > 0
        choice[rows] = np.where(takes, best, -1)
        top = np.where(takes, top, 0.0)
        paid, own = np.where(takes, paid, 0.0), np.where(takes, moved[best], 0.0)
        reach = width[0] * np.abs(costs - paid[:, None]) + moved + own[:, None]
        near = net + reach >= top[:, None]
        near[here, best] &= ~takes
        is_open[rows] = near.any(axis=1) | (takes & (top <= width[0] * paid + own))
    return choice, is_open
