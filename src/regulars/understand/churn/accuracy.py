"""How well churn was told, and whether one score tells it better than another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import flags_given, floats_given, level_given, require_one_length

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Better:
    """A difference with its interval.

    Attributes:
        estimate: The difference, first minus second.
        low: Lower end.
        high: Upper end.
    """

    estimate: float
    low: float
    high: float


def auc(scores: ArrayLike, churned: ArrayLike) -> float:
    """Give the chance that who churned was scored above who stayed.

    Args:
        scores: Higher for who is more likely to churn, shape (customers,).
        churned: True where the customer churned.

    Returns:
        Area under the ROC curve, 0 to 1, .5 for scores that know nothing; equal scores count half;
        nan when all churned, or none.

    Raises:
        InputError: The shapes differ, a score is nan or no number, or churned is not yes or no.

    Source:
        Hanley & McNeil (1982), Radiology 143(1).

    Example:
        >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    score = floats_given(scores, "scores")
    truth = flags_given(churned, "churned").astype(np.float64)
    if score.shape != truth.shape:
        raise InputError(
            f"scores {score.shape} and churned {truth.shape} differ; give one of each per customer"
        )
    return _auc(score, truth, np.ones_like(score))


def brier(probabilities: ArrayLike, churned: ArrayLike) -> float:
    """Give the mean squared distance of probabilities from what happened.

    Args:
        probabilities: In [0, 1], shape (customers,).
        churned: True where the customer churned.

    Returns:
        The Brier score, 0 best.

    Source:
        Brier (1950), Monthly Weather Review 78(1).

    Example:
        >>> brier([1.0, 0.5], [1, 0])
        0.125
    """
    said = floats_given(probabilities, "probabilities", least=0, most=1)
    truth = flags_given(churned, "churned").astype(np.float64)
    require_one_length(probabilities=said, churned=truth)
    if not said.size:
        return float("nan")
    return float(((said - truth) ** 2).mean())


def auc_gain(
    one: ArrayLike,
    other: ArrayLike,
    churned: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 500,
    seed: int = 7,
) -> Better:
    """Tell whether one score ranks who churns better than another.

    Args:
        one: Scores, shape (customers,).
        other: Scores to compare with, of the same customers.
        churned: True where the customer churned.
        level: Coverage of the interval.
        draws: Bootstrap draws; 0 for no interval (nan).
        seed: Root of the draws.

    Returns:
        The difference of the areas, with its interval; customers are drawn, the same for both.
        All nan when all churned, or none.

    Raises:
        InputError: Lengths differ, a score is nan or no number, or churned is not yes or no.

    Source:
        Efron & Tibshirani (1993), chapter 13.

    Example:
        >>> truth = np.arange(400) % 2
        >>> auc_gain(truth + 0.0, np.zeros(400), truth, draws=20).estimate
        0.5
    """
    first, second = floats_given(one, "one"), floats_given(other, "other")
    truth = flags_given(churned, "churned").astype(np.float64)
    require_one_length(one=first, other=second, churned=truth)
    level_given(level)
    estimate = auc(first, truth) - auc(second, truth)
    if np.isnan(estimate):
        return Better(estimate, float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        weight = np.bincount(rng.integers(0, truth.size, truth.size), minlength=truth.size)
        found.append(_auc(first, truth, weight) - _auc(second, truth, weight))
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.nanquantile(found, ends) if found else (np.nan, np.nan)
    return Better(estimate, float(low), float(high))


def _auc(score: Numbers, truth: Numbers, weight: ArrayLike) -> float:
    weight = np.asarray(weight, dtype=np.float64)
    level, at = np.unique(score, return_inverse=True)
    gone = np.bincount(at, weights=weight * truth, minlength=len(level))
    stayed = np.bincount(at, weights=weight * (1 - truth), minlength=len(level))
    pairs = gone.sum() * stayed.sum()
    below = np.cumsum(stayed) - stayed / 2
    return float((gone * below).sum() / pairs) if pairs > 0 else float("nan")
