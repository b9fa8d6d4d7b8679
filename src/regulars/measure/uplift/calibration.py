"""Calibration: do customers with a predicted uplift of 3 % really change by 3 %?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.numerics.given import (
    flags_given,
    floats_given,
    level_given,
    number_given,
    require_one_length,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UpliftCalibration:
    """Predicted beside measured.

    Attributes:
        slope: Measured uplift per unit of predicted; 1 when well calibrated, below when too bold.
        low: Lower end of its interval.
        high: Upper end of its interval.
        predicted: Mean predicted uplift by group, least first, shape (groups,).
        measured: Measured uplift by group, shape (groups,).
        standard_error: Of the measured uplift, shape (groups,).
    """

    slope: float
    low: float
    high: float
    predicted: Floats
    measured: Floats
    standard_error: Floats


def uplift_calibration(
    score: ArrayLike,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    propensity: float | None = None,
    groups: int = 10,
    level: float = 0.95,
) -> UpliftCalibration:
    """Compare predicted with measured uplift.

    Args:
        score: Predicted uplift, shape (customers,); made without the customer's own outcome.
        treated: True where the offer was made, shape (customers,).
        outcome: What came of it, shape (customers,).
        propensity: Probability of the offer, in (0, 1); by default the share seen.
        groups: Groups of customers of like predictions.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The calibration. The slope is that of all customers, not of the groups.

    Raises:
        InputError: Shapes differ, something is nan or no number, treated is not yes or no, all
            scores are the same, or nobody was treated, or everybody.

    Source:
        Chernozhukov, Demirer, Duflo & Fernandez-Val (2018), "Generic Machine Learning Inference
        on Heterogeneous Treatment Effects in Randomized Experiments", NBER 24678: the best
        linear predictor of the effect by the score.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> score, on = rng.random(20_000), np.arange(20_000) % 2
        >>> bool(abs(uplift_calibration(score, on, on * score).slope - 1) < 0.05)
        True
    """
    predicted, came = floats_given(score, "score"), floats_given(outcome, "outcome")
    on = flags_given(treated, "treated").astype(np.float64)
    require_one_length(score=predicted, treated=on, outcome=came)
    level_given(level)
    number_given(groups, "groups", least=1)
    if not predicted.size or predicted.min() == predicted.max():
        raise InputError("all scores are the same; there is nothing to calibrate")
    if on.min() == on.max():
        raise InputError("treated is the same for everybody; both kinds of customers are needed")
    chance = float(on.mean()) if propensity is None else propensity
    number_given(chance, "propensity", above=0, below=1)
    left = on - chance
    centred = predicted - predicted.mean()
    design = np.stack([np.ones_like(on), centred, left, left * centred], axis=1)
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ design.T @ came
    residual = came - design @ coefficients
    meat = (design * residual[:, None] ** 2).T @ design
    error = float(np.sqrt((bread @ meat @ bread)[3, 3]))
    radius = float(ndtri(0.5 + level / 2)) * error
    slope = float(coefficients[3])
    parts = _groups(predicted, on, came, groups)
    return UpliftCalibration(slope, slope - radius, slope + radius, *parts)


def _groups(
    predicted: Floats, on: Floats, came: Floats, groups: int
) -> tuple[Floats, Floats, Floats]:
    order = np.argsort(predicted, kind="stable")
    rows = []
    for part in np.array_split(order, groups):
        treated, control = came[part][on[part] > 0], came[part][on[part] == 0]
        if min(len(treated), len(control)) < 2:
            continue
        error = treated.var(ddof=1) / len(treated) + control.var(ddof=1) / len(control)
        rows.append((predicted[part].mean(), treated.mean() - control.mean(), np.sqrt(error)))
    table = np.array(rows).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
