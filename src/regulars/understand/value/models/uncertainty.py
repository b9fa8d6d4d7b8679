"""How sure the parameters of a fitted model are: standard errors, and draws of the parameters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.understand.value.models.histories import OrderHistories

Numbers = NDArray[np.float64]
Loss = Callable[[Numbers], tuple[float, Numbers]]

_STEP = 1e-4


class OrderModel(Protocol):
    """A fitted model of when customers order: BG/NBD, MBG/NBD or Pareto/NBD."""

    NAMES: ClassVar[tuple[str, ...]]
    SCALES: ClassVar[tuple[bool, ...]]

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers, /) -> Numbers:
        """Probability that each customer has not left."""

    def expected_orders(self, x: Numbers, t_x: Numbers, T: Numbers, t: float, /) -> Numbers:
        """Orders expected of each customer in the next `t`."""

    def draw_orders(
        self, x: Numbers, t_x: Numbers, T: Numbers, t: float, /, *, rng: np.random.Generator
    ) -> Numbers:
        """Orders of each customer in the next `t`, drawn once."""

    def likelihood(self, histories: OrderHistories, unit: float, /) -> Loss:
        """Mean negative log-likelihood with its gradient."""


Fitted = TypeVar("Fitted", bound=OrderModel)


def standard_errors(model: OrderModel, histories: OrderHistories) -> dict[str, float]:
    """Give the standard error of each parameter.

    Args:
        model: The fitted model.
        histories: What it was fitted on.

    Returns:
        Standard errors by name of the parameter, each in the parameter's own unit; nan for
        parameters the data leave open.

    Source:
        The inverse of the observed information, taken in logarithms; the gradient is exact,
        its slope is taken by central differences.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> from regulars.understand.value.models.orders.mbg_nbd import fit_mbg_nbd
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> sorted(standard_errors(fit_mbg_nbd(many), many))
        ['a', 'alpha', 'b', 'r']
    """
    logs, covariance = _laplace(model, histories)
    spread = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
    units = np.where(model.SCALES, histories.unit, 1.0)
    return {
        name: float(value)
        for name, value in zip(model.NAMES, np.exp(logs) * units * spread, strict=True)
    }


def parameter_draws(
    model: Fitted, histories: OrderHistories, *, draws: int, rng: np.random.Generator
) -> list[Fitted]:
    """Draw parameters as uncertain as the data leave them.

    Args:
        model: The fitted model.
        histories: What it was fitted on.
        draws: Models wanted, >= 1.
        rng: Where the draws come from.

    Returns:
        Models of the same kind. Directions the data leave open stay within a factor of about
        three, so that a parameter at the edge of the search does not run away.

    Raises:
        InputError: `draws` is below 1.

    Source:
        Laplace approximation of the posterior under flat priors on the logarithms.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> from regulars.understand.value.models.orders.mbg_nbd import fit_mbg_nbd
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> rng = np.random.default_rng(1)
        >>> drawn = parameter_draws(fit_mbg_nbd(many), many, draws=100, rng=rng)
        >>> len(drawn), len({one.r for one in drawn})
        (100, 100)
    """
    if draws < 1:
        raise InputError(f"draws is {draws}; wanted 1 or more")
    logs, covariance = _laplace(model, histories)
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    spread = vectors * np.sqrt(np.clip(values, 0.0, 0.36))
    steps = rng.standard_normal((draws, len(logs))) @ spread.T
    units = np.where(model.SCALES, histories.unit, 1.0)
    found = []
    for step in steps:
        changed: dict[str, Any] = dict(
            zip(model.NAMES, (np.exp(logs + step) * units).tolist(), strict=True)
        )
        found.append(replace(model, **changed))  # type: ignore[type-var]
    return found


def _laplace(model: OrderModel, histories: OrderHistories) -> tuple[Numbers, Numbers]:
    """Logarithms of the parameters in the unit of the fit, and their covariance."""
    units = np.where(model.SCALES, histories.unit, 1.0)
    logs = np.log([getattr(model, name) for name in model.NAMES] / units)
    loss = model.likelihood(histories, histories.unit)
    return logs, covariance_at(loss, logs, histories.customers)


def covariance_at(loss: Loss, logs: Numbers, customers: float) -> Numbers:
    """Give the covariance of the logarithms of parameters at a minimum of a mean loss.

    Args:
        loss: Gives the mean loss and its gradient at positive parameters.
        logs: The logarithms of the parameters, shape (parameters,).
        customers: How many the mean is of.

    Returns:
        The inverse of the observed information, shape (parameters, parameters).
    """

    def slope(at: Numbers) -> Numbers:
        values = np.exp(at)
        return np.asarray(loss(values)[1] * values * customers)

    size = len(logs)
    hessian = np.empty((size, size))
    for place in range(size):
        step = np.zeros(size)
        step[place] = _STEP
        hessian[place] = (slope(logs + step) - slope(logs - step)) / (2 * _STEP)
    inverse = np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-10, hermitian=True)
    return np.asarray(inverse, dtype=np.float64)
