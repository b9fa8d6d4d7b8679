"""What every fitted model of orders answers, and what their fits share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.numerics.given import floats_given, number_given, require_fit
from regulars.understand.value.models.histories import (
    OrderHistories,
    coarser,
    need_repeaters,
    regrouped,
    require_histories,
)
from regulars.understand.value.models.positive_fit import Loss, fit_positive

Numbers = NDArray[np.float64]
LikelihoodOf = Callable[[OrderHistories, float], Loss]

_MANY_HISTORIES = 20_000


class FittedOrders(ABC):
    """A fitted model of when customers order: BGNBD, MBGNBD, MBGCNBD, ParetoNBD or GGNBD.

    All answer the same questions; each model says by which formulas.

    Example:
        >>> from regulars.understand.value.models.orders.pareto_nbd import ParetoNBD
        >>> fitted = ParetoNBD(0.553, 10.578, 0.606, 11.669, 0.0, 2357)
        >>> isinstance(fitted, FittedOrders), round(fitted.expected_orders_of_new(52), 2)
        (True, 1.47)
    """

    NAME: ClassVar[str] = ""
    """How messages call the model."""
    NAMES: ClassVar[tuple[str, ...]] = ()
    """Its parameters, in the order of the likelihood."""
    SCALES: ClassVar[tuple[bool, ...]] = ()
    """Which of them are in the unit of time."""
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = ()
    """Where the search for them begins, best guess first, time in mean times observed."""
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = ()
    """Least and most of each, in the same unit."""

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Numbers:
        """Give the probability that each customer has not left.

        Args:
            x: Repeat orders, >= 0, shape (customers,).
            t_x: Time from first to last order, shape (customers,).
            T: Time from the first order to now, shape (customers,).

        Returns:
            Probabilities in [0, 1].

        Raises:
            InputError: Something is nan or no number, or a history cannot be.
        """
        known, shape = rows_of(x, t_x, T)
        return self._alive(*known).reshape(shape)

    def expected_orders(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, t: float) -> Numbers:
        """Give the orders each customer is expected to place in the next `t`.

        Args:
            x: Repeat orders, >= 0, shape (customers,).
            t_x: Time from first to last order, shape (customers,).
            T: Time from the first order to now, shape (customers,).
            t: Time ahead, >= 0, in the same unit.

        Returns:
            Expected orders, shape (customers,), >= 0.

        Raises:
            InputError: Something is nan or no number, or a history cannot be.
        """
        known, shape = rows_of(x, t_x, T)
        return self._expected(*known, time_ahead(t)).reshape(shape)

    def expected_orders_of_new(self, t: float) -> float:
        """Give the repeat orders expected of a customer in the first `t` after the first order.

        Args:
            t: Time ahead, > 0.

        Returns:
            Expected orders.
        """
        nothing = np.zeros(1)
        return float(self._expected(nothing, nothing, nothing, time_ahead(t))[0])

    def draw_orders(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, t: float, *, rng: np.random.Generator
    ) -> Numbers:
        """Draw what each customer orders in the next `t`, once.

        Args:
            x: Repeat orders, shape (customers,).
            t_x: Time from first to last order, shape (customers,).
            T: Time from the first order to now, shape (customers,).
            t: Time ahead, > 0.
            rng: Where the draws come from.

        Returns:
            Orders, whole numbers, shape (customers,).
        """
        known, shape = rows_of(x, t_x, T)
        is_alive, ordered = self._drawn(*known, time_ahead(t), rng)
        return np.where(is_alive, ordered, 0).astype(np.float64).reshape(shape)

    @abstractmethod
    def _alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Probability that each customer has not left."""

    @abstractmethod
    def _expected(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        """Orders expected of each customer in the next `t`."""

    @abstractmethod
    def _drawn(
        self, x: Numbers, t_x: Numbers, T: Numbers, t: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Numbers]:
        """Who has not left, and what each orders in the next `t` if he has not, drawn once."""


class Likelihood(ABC):
    """Mean negative log-likelihood and its gradient, time in units of a given length.

    Args:
        histories: Distinct histories.
        unit: Time that counts as 1.
    """

    def __init__(self, histories: OrderHistories, unit: float) -> None:
        """Keep the histories in the given unit."""
        self.share = histories.weights / histories.weights.sum()
        self.x, self.t_x, self.T = histories.x, histories.t_x / unit, histories.T / unit

    @abstractmethod
    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        """Give the loss and its gradient, of shape (parameters,)."""


def fit_orders(
    model: type[Any],
    histories: OrderHistories,
    *,
    starts: Sequence[Sequence[float]] = (),
    likelihood: LikelihoodOf | None = None,
    stages: int = 1,
) -> dict[str, Any]:
    """Fit a model of orders by maximum likelihood, whatever unit its time is in.

    Args:
        model: The model: its NAME, its parameters' NAMES, which are in the unit of time
            (SCALES), the STARTS and BOUNDS of the search.
        histories: Distinct histories with their numbers of customers.
        starts: Points to start from instead of the model's own.
        likelihood: Gives the loss of histories in a unit of time; `model.likelihood` when left
            out.
        stages: Powers of the time unit in the density of one repeat order.

    Returns:
        What the model is made of: its parameters by name, in the unit of the histories,
        log_likelihood, customers and note.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.
    """
    need_repeaters(histories, model.NAME)
    loss_of: LikelihoodOf = likelihood or model.likelihood
    starts, unit = starts or model.STARTS, histories.unit
    if histories.x.size >= _MANY_HISTORIES:
        histories = regrouped(histories)
        for parts in (6, 16):
            rough = loss_of(coarser(histories, parts), unit)
            starts = (fit_positive(rough, starts, model.BOUNDS, names=model.NAMES).values,)
    found = fit_positive(loss_of(histories, unit), starts, model.BOUNDS, names=model.NAMES)
    values = np.array(found.values) * np.where(model.SCALES, unit, 1.0)
    orders = float((histories.weights * histories.x).sum())
    level = float(-found.loss * histories.customers - stages * orders * np.log(unit))
    fitted: dict[str, Any] = dict(zip(model.NAMES, values.tolist(), strict=True))
    return fitted | {
        "log_likelihood": level,
        "customers": histories.customers,
        "note": found.note,
    }


def columns_of(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """Take the histories a fitted model is asked about.

    Args:
        x: Repeat orders, shape (customers,) or a number.
        t_x: Time from first to last order.
        T: Time from the first order to now.

    Returns:
        The same as arrays.

    Raises:
        InputError: Something is nan or no number, shapes do not fit, or a history cannot be.
    """
    parts = (
        floats_given(x, "x", axes=None),
        floats_given(t_x, "t_x", axes=None),
        floats_given(T, "T", axes=None),
    )
    require_fit(x=parts[0], t_x=parts[1], T=parts[2])
    require_histories(*np.broadcast_arrays(*(np.atleast_1d(part) for part in parts)))
    return parts


def rows_of(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike
) -> tuple[tuple[Numbers, Numbers, Numbers], tuple[int, ...]]:
    """Take the histories a fitted model is asked about, one after the other.

    Args:
        x: Repeat orders, shape (customers,) or a number.
        t_x: Time from first to last order.
        T: Time from the first order to now.

    Returns:
        One row per history, and the shape the answer is wanted in.
    """
    parts = columns_of(x, t_x, T)
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    one, two, three = (np.broadcast_to(part, shape).reshape(-1) for part in parts)
    return (one, two, three), shape


def time_ahead(t: float) -> float:
    """Take the time a fitted model is asked about.

    Args:
        t: Time ahead, 0 or more.

    Returns:
        The same.

    Raises:
        InputError: It is no finite number, or below 0.
    """
    return number_given(t, "t", least=0, below=np.inf)
