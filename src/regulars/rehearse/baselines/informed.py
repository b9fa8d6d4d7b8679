"""The mean truth given the profile: the most that learning from profiles could ever know."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regulars.numerics.hashing import uniforms

Floats = NDArray[np.float64]

_FOLDS = 5
_RIDGE = 3.0


def mean_given(
    profile: Mapping[str, Floats], truth: Floats, *, keys: NDArray[np.uint64], seed: int
) -> Floats:
    """Regress the true effects on everything a profile shows.

    A ridge regression on the profile's figures, their squares and products, fitted without
    the customer it is read for (cross-fitting), so that no customer's own truth leaks.

    Args:
        profile: Columns by name, each of shape (customers,).
        truth: True expected effects, shape (customers, actions).
        keys: Keys of the customers; they decide the folds.
        seed: Root of the folds.

    Returns:
        Mean truth given the profile, shape (customers, actions).

    Source:
        Ours: known truth makes the learner's task a regression without noise; cross-fitting
        as in Chernozhukov et al. (2018), "Double/debiased machine learning".
    """
    basis = _basis(profile)
    fold = (uniforms(keys, seed, "informed folds") * _FOLDS).astype(np.int64)
    grams, crosses = [], []
    for part in range(_FOLDS):
        inside = fold == part
        grams.append(basis[inside].T @ basis[inside])
        crosses.append(basis[inside].T @ truth[inside])
    gram, cross = sum(grams), sum(crosses)
    penalty = _RIDGE * np.eye(basis.shape[1])
    fitted = np.empty_like(truth)
    for part in range(_FOLDS):
        weights = np.linalg.solve(gram - grams[part] + penalty, cross - crosses[part])
        inside = fold == part
        fitted[inside] = basis[inside] @ weights
    return fitted


def _basis(profile: Mapping[str, Floats]) -> Floats:
    """The figures, their squares and products, and a 1: shape (customers, terms)."""
    plain = np.stack(list(profile.values()), axis=1)
    left, right = np.triu_indices(plain.shape[1])
    return np.concatenate(
        [np.ones((len(plain), 1)), plain, plain[:, left] * plain[:, right]], axis=1
    )
