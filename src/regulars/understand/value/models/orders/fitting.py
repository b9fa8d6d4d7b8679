"""What the fits of order models share: rough ones first where there are many histories."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from regulars.understand.value.models.histories import (
    OrderHistories,
    coarser,
    need_repeaters,
    regrouped,
)
from regulars.understand.value.models.positive_fit import Loss, fit_positive

_MANY_HISTORIES = 20_000

LikelihoodOf = Callable[[OrderHistories, float], Loss]


def fit_orders(
    model: type[Any],
    histories: OrderHistories,
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    *,
    likelihood: LikelihoodOf | None = None,
    stages: int = 1,
) -> dict[str, Any]:
    """Fit a model of orders by maximum likelihood, whatever unit its time is in.

    Args:
        model: The model: its NAME, its parameters' NAMES, and which are in the unit of time
            (SCALES).
        histories: Distinct histories with their numbers of customers.
        starts: Points to start from, best guess first, time in mean times observed.
        bounds: Least and most of each parameter, in the same unit.
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
    unit = histories.unit
    if histories.x.size >= _MANY_HISTORIES:
        histories = regrouped(histories)
        for parts in (6, 16):
            rough = loss_of(coarser(histories, parts), unit)
            starts = (fit_positive(rough, starts, bounds, names=model.NAMES).values,)
    found = fit_positive(loss_of(histories, unit), starts, bounds, names=model.NAMES)
    values = np.array(found.values) * np.where(model.SCALES, unit, 1.0)
    orders = float((histories.weights * histories.x).sum())
    level = float(-found.loss * histories.customers - stages * orders * np.log(unit))
    fitted: dict[str, Any] = dict(zip(model.NAMES, values.tolist(), strict=True))
    return fitted | {
        "log_likelihood": level,
        "customers": histories.customers,
        "note": found.note,
    }
