"""Order histories counted together: all the models need to know of a million customers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError, NotReady
from regulars.numerics.given import floats_given

Numbers = NDArray[np.float64]

LEAST_REPEATERS = 10
_MANY_ROWS = 50_000


@dataclass(frozen=True)
class OrderHistories:
    """Customers with the same history counted together.

    Attributes:
        x: Repeat orders, shape (histories,).
        t_x: Time from first to last order, shape (histories,).
        T: Time from first order to now, shape (histories,).
        weights: Customers with that history, shape (histories,).
    """

    x: Numbers
    t_x: Numbers
    T: Numbers
    weights: Numbers

    @property
    def customers(self) -> float:
        """Customers in all."""
        return float(self.weights.sum())

    @property
    def unit(self) -> float:
        """Mean time observed: what the fits measure time in, so that any unit will do."""
        return float(np.average(self.T, weights=self.weights)) or 1.0


def group_histories(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
) -> OrderHistories:
    """Count customers that have the same history.

    Args:
        x: Repeat orders, >= 0, shape (customers,).
        t_x: Time from first to last order, 0 when x is 0, shape (customers,).
        T: Time from first order to now, >= t_x, shape (customers,).
        weights: Customers each row stands for, > 0; one each when left out.

    Returns:
        Distinct histories, in ascending order of x, T, t_x.

    Raises:
        InputError: A history cannot be, or there is none.

    Example:
        >>> found = group_histories([0, 1, 0], [0, 2, 0], [9, 9, 9])
        >>> found.weights.tolist()
        [2.0, 1.0]
    """
    x, t_x, T = floats_given(x, "x"), floats_given(t_x, "t_x"), floats_given(T, "T")
    counted = np.ones_like(x) if weights is None else floats_given(weights, "weights")
    _refuse(x, t_x, T, counted)
    if x.size >= _MANY_ROWS:
        x, t_x, T, counted = _counted(np.argsort(_hashes(x, t_x, T)), x, t_x, T, counted)
    found = _counted(np.lexsort((t_x, T, x)), x, t_x, T, counted)
    return OrderHistories(*found)


def _counted(
    order: NDArray[np.intp], x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Join neighbours of an order that are the same."""
    x, t_x, T, weights = x[order], t_x[order], T[order], weights[order]
    new = np.r_[True, (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)]
    starts = np.flatnonzero(new)
    return x[starts], t_x[starts], T[starts], np.add.reduceat(weights, starts)


def _hashes(x: Numbers, t_x: Numbers, T: Numbers) -> NDArray[np.uint64]:
    # By these, equal histories stand together with one sort of a million rows, not three. Two
    # histories of one hash only leave duplicates, which the sort by columns then joins.
    found = np.zeros(x.size, np.uint64)
    for column in (x, t_x, T):
        found = (found ^ (column + 0.0).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found


def _refuse(x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers) -> None:
    if not x.shape == t_x.shape == T.shape == weights.shape or x.ndim != 1:
        raise InputError(
            f"x, t_x, T and weights have shapes {x.shape}, {t_x.shape}, {T.shape}, "
            f"{weights.shape}; give one of each per customer"
        )
    if not x.size:
        raise InputError("there is no customer with an order; import orders first")
    require_histories(x, t_x, T)
    if not (weights > 0).all():
        raise InputError("weights must be above 0: the customers each row stands for")


def require_histories(x: Numbers, t_x: Numbers, T: Numbers) -> None:
    """Refuse histories that cannot be.

    Args:
        x: Repeat orders, shape (customers,).
        t_x: Time from first to last order, shape (customers,).
        T: Time from first order to now, shape (customers,).

    Raises:
        InputError: Somebody ordered less than never, or after now.
    """
    wrong = ~((x >= 0) & (t_x >= 0) & (t_x <= T) & np.isfinite(T)) | ((x == 0) & (t_x > 0))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"customer {at} has x {x[at]:g}, t_x {t_x[at]:g}, T {T[at]:g}; wanted x >= 0 and "
            "0 <= t_x <= T, and t_x 0 when x is 0; count repeat orders only"
        )


def need_repeaters(histories: OrderHistories, model: str) -> None:
    """Refuse to fit where next to nobody ordered again.

    Args:
        histories: What is to be fitted on.
        model: Name of the model, for the message.

    Raises:
        NotReady: Fewer than 10 customers bought again.
    """
    repeaters = float(histories.weights[histories.x > 0].sum())
    if repeaters < LEAST_REPEATERS:
        raise NotReady(
            f"{repeaters:g} customers ordered on a second day, {model} needs {LEAST_REPEATERS}; "
            "import a longer history"
        )


def coarser(histories: OrderHistories, parts: int = 16) -> OrderHistories:
    """Round times to parts of the mean time observed: far fewer histories, nearly the same fit.

    Args:
        histories: Distinct histories.
        parts: Steps the mean time observed is cut into.

    Returns:
        The rounded histories; from 16 orders on, orders are rounded to fours.
    """
    step = histories.unit / parts
    T = np.ceil(histories.T / step) * step
    x = np.where(histories.x < 16, histories.x, np.round(histories.x / 4) * 4)
    t_x = np.where(x > 0, np.minimum(np.round(histories.t_x / step) * step, T), 0.0)
    return group_histories(x, t_x, T, histories.weights)


def regrouped(histories: OrderHistories) -> OrderHistories:
    """Count rows of one history together where that was not done yet.

    Args:
        histories: Histories, distinct or not.

    Returns:
        Distinct ones; the same object when they were.
    """
    if histories.x.size < 4 * _MANY_ROWS:
        return histories
    return group_histories(histories.x, histories.t_x, histories.T, histories.weights)
