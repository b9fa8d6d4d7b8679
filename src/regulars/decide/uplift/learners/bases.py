"""Base models of the uplift learners: ridge regression, and gradient-boosted trees."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Model(Protocol):
    """Anything that predicts a number per customer."""

    def predict(self, features: Floats, /) -> Floats:
        """Predict, shape (customers,)."""


class Base(StrEnum):
    """Which model the learners are built on."""

    RIDGE = "ridge"
    BOOSTING = "boosting"


Fit = Callable[[Floats, Floats, Floats], Model]
"""Fits a model to features, outcome and weight."""


class Ridge:
    """Linear regression shrunk towards the mean; features are put on one scale first.

    Args:
        strength: Shrinkage, in customers, > 0.
    """

    def __init__(self, strength: float = 10.0) -> None:
        """Keep the strength."""
        self._strength = strength

    def fit(self, features: Floats, outcome: Floats, weight: Floats) -> "Ridge":
        """Fit by weighted least squares in closed form.

        Returns:
            Itself.
        """
        share = weight / weight.sum()
        self._centre = share @ features
        spread = np.sqrt(share @ (features - self._centre) ** 2)
        self._spread = np.where(spread > 1e-12, spread, 1.0)
        scaled = (features - self._centre) / self._spread
        self._level = float(share @ outcome)
        weighted = scaled * weight[:, None]
        penalty = self._strength * weight.mean() * np.eye(features.shape[1])
        self._slope = np.linalg.solve(
            weighted.T @ scaled + penalty, weighted.T @ (outcome - self._level)
        )
        return self

    def predict(self, features: Floats, /) -> Floats:
        """Predict, shape (customers,).

        Returns:
            The predictions.
        """
        return np.asarray(self._level + (features - self._centre) / self._spread @ self._slope)


class _Level:
    """The same number for everybody: where there are too few customers for a model."""

    def __init__(self, level: float) -> None:
        self._level = level

    def predict(self, features: Floats, /) -> Floats:
        return np.full(len(features), self._level)


def fit_of(base: Base, *, seed: int, of_effects: bool = False) -> Fit:
    """Give the function that fits a base model.

    Args:
        base: Which model.
        seed: Root of its random draws.
        of_effects: True where it is fitted to effects told customer by customer, which are mostly
            noise: trees are then kept small.

    Returns:
        A function of features, outcome and weight; fewer than 20 customers get their mean.
    """
    wanted = Base(base)  # the plain word will do, too

    def fit(features: Floats, outcome: Floats, weight: Floats) -> Model:
        if len(outcome) < 20:
            return _Level(float(np.average(outcome, weights=weight)) if len(outcome) else 0.0)
        if wanted is Base.RIDGE:
            return Ridge().fit(features, outcome, weight)
        boosted: Model = _boosted(features, outcome, weight, seed, of_effects)
        return boosted

    return fit


def _boosted(features: Floats, outcome: Floats, weight: Floats, seed: int, of_effects: bool) -> Any:
    from sklearn.ensemble import (  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import
        HistGradientBoostingRegressor,
    )

    model = HistGradientBoostingRegressor(
        max_iter=100,
        learning_rate=0.06,
        max_leaf_nodes=4 if of_effects else 15,
        min_samples_leaf=max(20, len(outcome) // (70 if of_effects else 200)),
        l2_regularization=20.0 if of_effects else 5.0,
        early_stopping=False,
        random_state=seed,
    )
    # Equal weights change nothing, but would have every bin found by a slow weighted quantile.
    equal = weight.size == 0 or bool((weight == weight[0]).all())
    return model.fit(features, outcome, sample_weight=None if equal else weight)
