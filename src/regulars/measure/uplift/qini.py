"""Qini: does an uplift score put those first whom the offer changes most?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.numerics.given import flags_given, floats_given, level_given, require_one_length

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Qini:
    """How well a score ranks.

    Attributes:
        coefficient: Area between curve and random order, in outcome per treated customer; 0 for
            a score that knows nothing, below 0 for one that is worse.
        low: Lower end of the interval.
        high: Upper end of the interval.
        auuc: Area under the curve itself, random order not taken off, in the same unit.
        share: Share of customers offered, 0 to 1, shape (points,).
        gain: Extra outcome per treated customer of offering that share; shape (points,).
    """

    coefficient: float
    low: float
    high: float
    auuc: float
    share: Floats
    gain: Floats


def qini(
    score: ArrayLike,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 7,
) -> Qini:
    """Measure how well a score ranks customers of a randomised experiment by uplift.

    Customers of one score are taken together, so the order of rows never matters.

    Args:
        score: Predicted uplift, shape (customers,); made without the customer's own outcome.
        treated: True where the offer was made, shape (customers,).
        outcome: What came of it, shape (customers,).
        level: Coverage of the interval, in (0, 1).
        draws: Bootstrap draws of the interval; 0 for none (nan).
        seed: Root of the draws.

    Returns:
        The coefficient with its interval, and the curve.

    Raises:
        InputError: Shapes differ, something is nan or no number, treated is not yes or no, or
            nobody was treated, or everybody.

    Source:
        Radcliffe (2007), "Using Control Groups to Target on Predicted Lift", Direct Marketing
        Analytics Journal: Q(k) = Y_t(k) - Y_c(k) n_t(k) / n_c(k), here per treated customer.

    Example:
        >>> treated = np.array([1, 0] * 500)
        >>> score = np.arange(1000.0)
        >>> found = qini(score, treated, treated * (score > 500), draws=0)
        >>> round(found.coefficient, 3), round(found.auuc, 3)
        (0.125, 0.374)
    """
    given = [
        floats_given(score, "score"),
        flags_given(treated, "treated").astype(np.float64),
        floats_given(outcome, "outcome"),
    ]
    require_one_length(score=given[0], treated=given[1], outcome=given[2])
    level_given(level)
    if not given[1].size or given[1].min() == given[1].max():
        raise InputError("treated is the same for everybody; both kinds of customers are needed")
    order = np.argsort(-given[0], kind="stable")
    ranked, on, came = (part[order] for part in given)
    ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
    share, gain = _curve(on, came, np.ones(ranked.size), ends)
    coefficient = _area(share, gain)
    low, high = _interval(coefficient, on, came, ends, level=level, draws=draws, seed=seed)
    auuc = float(np.trapezoid(gain, share))
    return Qini(coefficient, low, high, auuc, share, gain)


def _curve(on: Floats, came: Floats, weight: Floats, ends: NDArray[np.int64]) -> tuple[Floats, ...]:
    treated = np.cumsum(on * weight)[ends]
    control = np.cumsum((1 - on) * weight)[ends]
    gained = np.cumsum(on * came * weight)[ends]
    without = np.cumsum((1 - on) * came * weight)[ends]
    ratio = np.divide(treated, control, out=np.zeros_like(treated), where=control > 0)
    gain = (gained - without * ratio) / treated[-1]
    share = (treated + control) / (treated[-1] + control[-1])
    return np.append(0.0, share), np.append(0.0, gain)


def _area(share: Floats, gain: Floats) -> float:
    return float(np.trapezoid(gain - share * gain[-1], share))


def _interval(
    coefficient: float,
    on: Floats,
    came: Floats,
    ends: NDArray[np.int64],
    *,
    level: float,
    draws: int,
    seed: int,
) -> tuple[float, float]:
    if not draws:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    found = [
        _area(*_curve(on, came, rng.poisson(1.0, on.size).astype(np.float64), ends))
        for _ in range(draws)
    ]
    radius = float(ndtri(0.5 + level / 2)) * float(np.std(found, ddof=1))
    return coefficient - radius, coefficient + radius
