"""A churn model of any table of features: a hazard or boosted trees, calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import columns_given, flags_given, floats_given, word_given
from regulars.understand.churn.calibration import (
    Calibration,
    Calibrator,
    fit_isotonic,
    fit_platt,
)
from regulars.understand.churn.hazard import fit_hazard, need_both
from regulars.understand.churn.leakage import leaking_features

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

_FOLDS = 5


class Base(StrEnum):
    """What a churn model is built on."""

    HAZARD = "hazard"
    BOOSTING = "boosting"


class Model(Protocol):
    """Anything that gives a probability per customer."""

    def predict(self, features: Numbers, /) -> Numbers:
        """Probability of churn, shape (customers,)."""


@dataclass(frozen=True)
class Churn:
    """A fitted churn model.

    Attributes:
        base: What it is built on.
        model: The model before calibration.
        calibrator: Turns its scores into probabilities; None when not calibrated.
        out_of_fold: Calibrated probability of each customer of the fit, from models that had not
            seen him, shape (customers,): what accuracy may be judged by.
    """

    base: Base
    model: Model
    calibrator: Calibrator | None
    out_of_fold: Numbers

    def predict(self, features: ArrayLike) -> Numbers:
        """Give the probability of churn.

        Args:
            features: Shape (customers, features), in the order of the fit, without nan.

        Returns:
            Probabilities in [0, 1], shape (customers,).
        """
        scores = self.model.predict(floats_given(features, "features", axes=2))
        return self.calibrator(scores) if self.calibrator else scores


def fit_churn(
    features: ArrayLike,
    churned: ArrayLike,
    *,
    base: Base | str = Base.HAZARD,
    calibration: Calibration | str = Calibration.ISOTONIC,
    names: Sequence[str] = (),
    groups: ArrayLike | None = None,
    seed: int = 7,
) -> Churn:
    """Fit a churn model on any table of features.

    Args:
        features: What was known, shape (customers, features), without nan; a frame or a table of
            numbers too.
        churned: True where the customer then churned, shape (customers,).
        base: hazard (a logistic regression, the same to the bit on any machine) or boosting.
        calibration: isotonic, platt (smoother, for few customers) or none.
        names: Names of the features, for messages; those of the columns when left out.
        groups: Rows of one group are never both learned from and judged by, such as rows of one
            customer or copies of one row; every row by itself when left out.
        seed: Root of the folds.

    Returns:
        The model.

    Raises:
        InputError: Something is nan or no number, or a feature knows the outcome: it is named.
        UnknownName: There is no such base or calibration.
        NotReady: Fewer than 10 customers churned, or fewer than 10 stayed.

    Source:
        Calibration on scores of cross-fitting, as in Niculescu-Mizil & Caruana (2005), ICML.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> silence = rng.exponential(1.0, 2000)
        >>> churned = rng.random(2000) < 1 / (1 + np.exp(2 - silence))
        >>> model = fit_churn(silence[:, None], churned)
        >>> bool(0.4 < model.predict([[2.0]])[0] < 0.6)
        True
    """
    table = floats_given(features, "features", axes=None, may_lack=True, may_be_infinite=True)
    truth = flags_given(churned, "churned").astype(np.float64)
    names = names or columns_given(features)
    kind = word_given(base, Base, "base")
    calibration = word_given(calibration, Calibration, "calibration")
    if table.ndim != 2 or truth.shape != table.shape[:1]:
        raise InputError(
            f"features {table.shape} and churned {truth.shape} do not fit; give (customers, "
            "features) and one outcome per customer"
        )
    if not np.isfinite(table).all():
        raise InputError("features hold nan; fill them, and add a column that says they were empty")
    leaks = leaking_features(table, truth, names=names)
    if leaks:
        raise InputError(
            f"a feature knows the outcome: {', '.join(leaks)}; leave out what is known only "
            "after the customer left"
        )
    need_both(truth)
    fold = _folds(groups, len(truth), seed)
    scores = np.empty(len(truth))
    for number in range(_FOLDS):
        own = fold == number
        if own.any():
            scores[own] = _fit(kind, table[~own], truth[~own], seed).predict(table[own])
    calibrator = _calibrator(calibration, scores, truth)
    checked = _cross_calibrated(calibration, scores, truth, fold)
    return Churn(kind, _fit(kind, table, truth, seed), calibrator, checked)


def _folds(groups: ArrayLike | None, rows: int, seed: int) -> Integers:
    own = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = np.random.default_rng(seed).permutation(int(own.max()) + 1) % _FOLDS
    return np.asarray(drawn[own], dtype=np.int64)


def _calibrator(kind: Calibration, scores: Numbers, truth: Numbers) -> Calibrator | None:
    if kind is Calibration.NONE:
        return None
    return fit_isotonic(scores, truth) if kind is Calibration.ISOTONIC else fit_platt(scores, truth)


def _cross_calibrated(
    kind: Calibration, scores: Numbers, truth: Numbers, fold: Integers
) -> Numbers:
    """Calibrate each fold by the others, so that nobody's own outcome is in his probability."""
    if kind is Calibration.NONE:
        return scores
    found = np.empty_like(scores)
    for number in range(_FOLDS):
        own = fold == number
        calibrator = _calibrator(kind, scores[~own], truth[~own])
        if calibrator and own.any():
            found[own] = calibrator(scores[own])
    return found


def _fit(kind: Base, features: Numbers, truth: Numbers, seed: int) -> Model:
    if kind is Base.HAZARD:
        return fit_hazard(features, truth)
    return _Boosted(features, truth, seed)


class _Boosted:
    """Gradient-boosted trees."""

    def __init__(self, features: Numbers, truth: Numbers, seed: int) -> None:
        from sklearn.ensemble import (  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import
            HistGradientBoostingClassifier,
        )

        need_both(truth)
        self._model: Any = HistGradientBoostingClassifier(
            max_iter=120,
            learning_rate=0.06,
            max_leaf_nodes=15,
            min_samples_leaf=max(10, len(truth) // 200),
            l2_regularization=2.0,
            early_stopping=False,
            random_state=seed,
        ).fit(features, truth)

    def predict(self, features: Numbers, /) -> Numbers:
        return np.asarray(self._model.predict_proba(features)[:, 1], dtype=np.float64)
