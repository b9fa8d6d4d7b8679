"""SWITCH-DR: doubly robust where weights are bearable, the model alone where they are not."""

import numpy as np

from regulars.errors import InputError
from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.value import PolicyValue, value_of


def switch(log: Logged, *, most_weight: float | None = None, level: float = 0.95) -> PolicyValue:
    """Judge a policy, using importance weights only up to a limit.

    Args:
        log: The decisions, with predictions.
        most_weight: Weights above are replaced by the model, > 0; by default chosen among the
            quantiles of the weights seen, by least estimated squared error.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The value.

    Raises:
        InputError: The limit is 0 or below.

    Source:
        Wang, Agarwal & Dudik (2017), "Optimal and Adaptive Off-policy Evaluation in Contextual
        Bandits", ICML, eq. 11 and section 4.2.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> log = logged([1, 0], [3.0, 0.0], [0.5, 0.5], [[0, 1], [0, 1]], [[0, 2.0], [0, 2.0]])
        >>> switch(log, most_weight=1.0).value, switch(log, most_weight=2.0).value
        (2.0, 3.0)
    """
    if most_weight is not None and most_weight <= 0:
        raise InputError(f"most_weight is {most_weight}, must be above 0")
    weight, missed = log.weight, log.reward - log.predicted_taken
    limits = [most_weight] if most_weight is not None else _limits(weight)
    found = []
    for limit in limits:
        kept = weight <= limit
        terms = log.predicted_target + np.where(kept, weight * missed, 0.0)
        # What the model is not asked to prove: the largest miss seen stands for its error.
        bias = float((weight * ~kept).mean() * np.abs(missed).max())
        spread = float(terms.var(ddof=1)) / terms.size if terms.size > 1 else 0.0
        found.append((spread + bias**2, terms))
    return value_of(min(found, key=lambda one: one[0])[1], level=level)


def _limits(weight: np.ndarray) -> list[float]:
    used = weight[weight > 0]
    if used.size == 0:
        return [1.0]
    return sorted({float(q) for q in np.quantile(used, [0.5, 0.8, 0.9, 0.95, 0.99, 1.0])})
