"""Base models of the uplift learners: ridge regression, gradient-boosted trees, and a mixture."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]


class Model(Protocol):
    """Anything that predicts a number per customer."""

    def predict(self, features: Floats, /) -> Floats:
        """Predict, shape (customers,)."""


class Base(StrEnum):
    """Which model the learners are built on.

    `stacked` mixes the mean, ridge and boosting in the shares that err least on customers they
    have not seen: it follows a bent effect as trees do, and claims little where there is little.
    """

    RIDGE = "ridge"
    BOOSTING = "boosting"
    STACKED = "stacked"


Fit = Callable[[Floats, Floats, Floats], Model]
"""Fits a model to features, outcome and weight."""

_FOLDS = 3
"""Folds the shares of a mixture are found on."""


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


class _Mixture:
    """Models added up in fixed shares."""

    def __init__(self, models: Sequence[Model], shares: Floats) -> None:
        self._models, self._shares = models, shares

    def predict(self, features: Floats, /) -> Floats:
        parts = zip(self._shares, self._models, strict=True)
        return np.asarray(sum(share * model.predict(features) for share, model in parts if share))


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
            return _level(features, outcome, weight)
        if wanted is Base.RIDGE:
            return Ridge().fit(features, outcome, weight)
        if wanted is Base.STACKED:
            parts = [fit_of(one, seed=seed, of_effects=of_effects) for one in _STACKED]
            return _mixed_of([_level, *parts], features, outcome, weight, seed=seed)
        boosted: Model = _boosted(features, outcome, weight, seed, of_effects)
        return boosted

    return fit


_STACKED = (Base.RIDGE, Base.BOOSTING)


def _level(_features: Floats, outcome: Floats, weight: Floats) -> Model:
    return _Level(float(np.average(outcome, weights=weight)) if len(outcome) else 0.0)


def _mixed_of(
    fits: Sequence[Fit], features: Floats, outcome: Floats, weight: Floats, *, seed: int
) -> Model:
    """Mix models in the shares that err least, by least squares, on folds they were not shown.

    Returns:
        The mixture; models without a share are not asked.

    Source:
        Breiman (1996), "Stacked Regressions", Machine Learning 24; with shares that sum to 1, as
        van der Laan, Polley & Hubbard (2007), "Super Learner".
    """
    fold = np.random.default_rng(seed).permutation(len(outcome)) % _FOLDS
    unseen = np.empty((len(outcome), len(fits)))
    for number in range(_FOLDS):
        own = fold == number
        for place, fit in enumerate(fits):
            model = fit(features[~own], outcome[~own], weight[~own])
            unseen[own, place] = model.predict(features[own])
    root = np.sqrt(weight / weight.mean())
    # One more row, so heavy that the shares sum to 1.
    heavy = 1e3 * np.sqrt(len(outcome)) * max(float(np.abs(unseen).max()), 1e-12)
    rows = np.vstack([unseen * root[:, None], np.full(len(fits), heavy)])
    shares, _left = nnls(rows, np.append(outcome * root, heavy))
    models = [fit(features, outcome, weight) for fit in fits]
    return _Mixture(models, shares / shares.sum())


def _boosted(features: Floats, outcome: Floats, weight: Floats, seed: int, of_effects: bool) -> Any:
    from sklearn.ensemble import (  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import
        HistGradientBoostingRegressor,
    )

    model = HistGradientBoostingRegressor(
        max_iter=100 if of_effects else 60,
        learning_rate=0.06 if of_effects else 0.1,
        max_leaf_nodes=4 if of_effects else 15,
        min_samples_leaf=max(20, len(outcome) // (70 if of_effects else 200)),
        l2_regularization=20.0 if of_effects else 5.0,
        early_stopping=False,
        random_state=seed,
    )
    # Equal weights change nothing, but would have every bin found by a slow weighted quantile.
    equal = weight.size == 0 or bool((weight == weight[0]).all())
    return model.fit(features, outcome, sample_weight=None if equal else weight)
