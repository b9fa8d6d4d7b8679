"""Fit positive parameters: L-BFGS on their logarithms, from several starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import NotReady

Numbers = NDArray[np.float64]
Loss = Callable[[Numbers], tuple[float, Numbers]]


@dataclass(frozen=True)
class PositiveFit:
    """Where a fit ended.

    Attributes:
        values: The parameters.
        loss: The loss there.
        note: Which parameters stand at the edge of the search; empty when none does.
    """

    values: tuple[float, ...]
    loss: float
    note: str


def fit_positive(
    loss: Loss,
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    *,
    names: Sequence[str],
) -> PositiveFit:
    """Minimise a loss over positive parameters.

    The lowest of the minima the starts lead to is taken: these likelihoods may have several,
    one of them at an edge.

    Args:
        loss: Gives the loss and its gradient at positive parameters, shape (parameters,).
        starts: Points to start from, best guess first.
        bounds: Least and most of each parameter.
        names: How the parameters are called in notes.

    Returns:
        The minimum.

    Raises:
        NotReady: No start led to a finite minimum; the message says what the search met.

    Source:
        Byrd, Lu, Nocedal & Zhu (1995), L-BFGS-B, by SciPy; logarithms keep the parameters
        positive and of like size.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 (slow import)

    edges = [(float(np.log(low)), float(np.log(high))) for low, high in bounds]

    def in_logs(logs: Numbers) -> tuple[float, Numbers]:
        values = np.exp(logs)
        value, gradient = loss(values)
        return value, gradient * values

    best: PositiveFit | None = None
    met = ""
    for start in starts:
        first = np.clip(np.log(start), [low for low, _ in edges], [high for _, high in edges])
        found = minimize(
            in_logs,
            first,
            jac=True,
            method="L-BFGS-B",
            bounds=edges,
            options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500},
        )
        met = str(found.message)
        if not np.isfinite(found.fun) or not _is_minimum(found.x, found.jac, edges):
            continue
        note = _note(found.x, edges, names)
        values = tuple(float(value) for value in np.exp(found.x))
        ended = PositiveFit(values, float(found.fun), note)
        best = ended if best is None else min(best, ended, key=lambda fit: fit.loss)
    if best is None:
        raise NotReady(
            f"no start led to a maximum of the likelihood of {', '.join(names)} ({met}); "
            "look for impossible histories in the import, or wait for more orders"
        )
    return best


def _is_minimum(logs: Numbers, gradient: Numbers, edges: list[tuple[float, float]]) -> bool:
    """Tell whether nothing pulls further, except against an edge."""
    low, high = np.array(edges).T
    pull = np.where((logs <= low + 1e-9) & (gradient > 0), 0.0, gradient)
    pull = np.where((logs >= high - 1e-9) & (pull < 0), 0.0, pull)
    return bool(np.abs(pull).max() < 1e-4)


def _note(logs: Numbers, edges: list[tuple[float, float]], names: Sequence[str]) -> str:
    at_edge = [
        f"{name} at its {'least' if value <= low + 1e-6 else 'most'}"
        for name, value, (low, high) in zip(names, logs, edges, strict=True)
        if value <= low + 1e-6 or value >= high - 1e-6
    ]
    return f"the data leave open: {', '.join(at_edge)}" if at_edge else ""
