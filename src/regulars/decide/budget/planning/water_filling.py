"""Water-filling: pour money where the next unit brings most, until all bring the same."""

from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError

Floats = NDArray[np.float64]

_HALVINGS = 200


def fill(
    first_return: ArrayLike,
    saturation: ArrayLike,
    *,
    budget: float,
    least: ArrayLike = 0.0,
    most: ArrayLike = np.inf,
    hurdle: float = 1.0,
) -> tuple[Floats, float]:
    """Spend a budget over saturating curves so that they bring most together.

    Args:
        first_return: r: what the first unit of money brings; shape (cells,).
        saturation: b, above 0: spend after which the next unit brings 37 % of the first.
        budget: Most of all spends together, 0 or more.
        least: Least spend of each cell.
        most: Most spend of each cell, `least` or more.
        hurdle: What a unit of money must bring to be spent; 1 is its own cost.

    Returns:
        Spend of each cell, shape (cells,), and the shadow price: what one more unit of money
        would bring above the hurdle; 0 when money is left because nothing is worth it.

    Raises:
        InputError: The least spends are more than the budget, a limit is below another.

    Source:
        Luss & Gupta (1975), "Allocation of effort resources among competing activities",
        Operations Research 23(2): one multiplier, in closed form for each cell.

    Example:
        >>> spend, price = fill([3.0, 2.0], [100.0, 100.0], budget=100.0)
        >>> spend.round(2).tolist(), round(price, 3)
        ([70.27, 29.73], 0.486)
    """
    value = np.atleast_1d(np.asarray(first_return, np.float64))
    scale = np.broadcast_to(np.asarray(saturation, np.float64), value.shape)
    low = np.broadcast_to(np.asarray(least, np.float64), value.shape)
    high = np.broadcast_to(np.asarray(most, np.float64), value.shape)
    _check(scale, low, high, budget)
    if hurdle <= 0:
        raise InputError(f"the hurdle is {hurdle:g}, must be above 0; 1 is the cost of the money")

    def spends(price: float) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = scale * np.log(value / (hurdle + price))
        return np.clip(np.where(value > 0, wanted, -np.inf), low, high)

    if fsum(spends(0.0)) <= budget:
        return spends(0.0), 0.0
    below, above = 0.0, float(max(value.max() - hurdle, 0.0)) + 1.0
    for _halving in range(_HALVINGS):
        middle = (below + above) / 2
        if middle in {below, above}:
            break
        below, above = (middle, above) if fsum(spends(middle)) > budget else (below, middle)
    return _within(spends(above), low, budget), above


def _check(scale: Floats, low: Floats, high: Floats, budget: float) -> None:
    if not budget >= 0:
        raise InputError(f"the budget is {budget:g}, must be 0 or more")
    if not (scale > 0).all():
        raise InputError(f"a saturation is {scale.min():g}, must be above 0")
    if not ((low >= 0) & (high >= low)).all():
        raise InputError("a least spend is negative or above the most; give 0 <= least <= most")
    if fsum(low) > budget * (1 + 1e-12):
        raise InputError(
            f"floors and pins come to {fsum(low):,.2f}, there is {budget:,.2f} to spend; lower "
            "them or raise the budget"
        )


def _within(spend: Floats, low: Floats, budget: float) -> Floats:
    """Take the last digit off where a sum of the least spends is a digit over the budget."""
    over = fsum(spend) - budget
    if over <= 0:
        return spend
    room = int(np.argmax(spend - low))
    cut = spend.copy()
    cut[room] -= over
    return cut
