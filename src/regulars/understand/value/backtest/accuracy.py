"""How near predictions came to what happened, and whether one came nearer than another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A difference with its interval.

    Attributes:
        estimate: The difference; below 0 for error, above 0 for rank, the model is better.
        low: Lower end.
        high: Upper end.
    """

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Accuracy:
    """How near predictions came.

    Attributes:
        mae: Mean absolute error per customer, money.
        spearman: Rank correlation with what came.
        calibration: Total predicted over total spent.
    """

    mae: float
    spearman: float
    calibration: float


def accuracy(expected: Numbers, actual: Numbers) -> Accuracy:
    """Compare predictions with what came.

    Args:
        expected: Predictions, shape (customers,).
        actual: What came, shape (customers,).

    Returns:
        Error, rank correlation and calibration; nan where a total or spread is 0.

    Example:
        >>> accuracy(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0])).spearman
        1.0
    """
    total = float(actual.sum())
    return Accuracy(
        mae=float(np.abs(expected - actual).mean()),
        spearman=_correlation(_ranks(expected), _ranks(actual), np.ones(len(actual))),
        calibration=float(expected.sum()) / total if total else float("nan"),
    )


def paired_differences(
    model: Numbers, others: tuple[Numbers, ...], actual: Numbers, *, level: float, seed: int
) -> list[Interval]:
    """Compare a model with other predictions of the same customers.

    Args:
        model: Predictions of the model, shape (customers,).
        others: Predictions to compare with, each shape (customers,).
        actual: What came, shape (customers,).
        level: Coverage of the intervals.
        seed: Seed of the bootstrap.

    Returns:
        Per other prediction two intervals: the difference of mean absolute errors and that of
        rank correlations, model minus other. Ranks stay as in the whole sample.

    Source:
        Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13: customers
        are resampled, the same ones for every prediction.
    """
    errors = [np.abs(part - actual) for part in (model, *others)]
    ranks = [_ranks(part) for part in (model, *others)]
    truth = _ranks(actual)
    draw = np.random.default_rng(seed)
    rows = np.empty((_RESAMPLES + 1, 2 * len(others)))
    for sample in range(_RESAMPLES + 1):
        weight = np.ones(len(actual))
        if sample:
            chosen = draw.integers(0, len(actual), len(actual))
            weight = np.bincount(chosen, minlength=len(actual)).astype(np.float64)
        error = [float((weight * part).sum() / weight.sum()) for part in errors]
        rank = [_correlation(part, truth, weight) for part in ranks]
        rows[sample, 0::2] = error[0] - np.array(error[1:])
        rows[sample, 1::2] = rank[0] - np.array(rank[1:])
    tail = (1 - level) / 2
    low, high = np.nanquantile(rows[1:], [tail, 1 - tail], axis=0)
    return [
        Interval(float(rows[0, at]), float(low[at]), float(high[at])) for at in range(rows.shape[1])
    ]


def _ranks(values: Numbers) -> Numbers:
    """Give ranks; values equal to a millionth share their mean rank."""
    _, at, counts = np.unique(np.round(values, 6), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[at])


def _correlation(one: Numbers, other: Numbers, weight: Numbers) -> float:
    total = weight.sum()
    left = one - (weight * one).sum() / total
    right = other - (weight * other).sum() / total
    spread = float((weight * left**2).sum() * (weight * right**2).sum())
    return float((weight * left * right).sum() / np.sqrt(spread)) if spread > 0 else float("nan")
