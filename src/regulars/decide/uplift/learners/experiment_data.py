"""What an uplift learner learns from: customers, what they were assigned to, what came of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, places_given

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExperimentData:
    """One row per customer of a randomised experiment.

    Attributes:
        features: What was known before, shape (customers, features).
        arm: 0 for control, 1 and up for offers; shape (customers,).
        outcome: What came of it, shape (customers,).
        propensity: Probability of each arm, shape (customers, arms).
    """

    features: Floats
    arm: NDArray[np.int64]
    outcome: Floats
    propensity: Floats

    @property
    def arms(self) -> int:
        """Number of arms, control included."""
        return int(self.propensity.shape[1])

    def only(self, mask: NDArray[np.bool_]) -> "ExperimentData":
        """Take some customers."""
        return ExperimentData(
            self.features[mask], self.arm[mask], self.outcome[mask], self.propensity[mask]
        )


def experiment_data(
    features: ArrayLike,
    arm: ArrayLike,
    outcome: ArrayLike,
    *,
    propensity: ArrayLike | None = None,
) -> ExperimentData:
    """Take an experiment as plain arrays or frames.

    Args:
        features: What was known before, numbers, shape (customers, features).
        arm: 0 (or False) for control, 1 and up for offers; shape (customers,).
        outcome: What came of it, shape (customers,).
        propensity: Probability of each arm, shape (arms,) or (customers, arms); by default the
            shares seen, which is right when everybody had the same chance.

    Returns:
        The data.

    Raises:
        InputError: Shapes differ, something is nan, an arm has nobody, or a probability is
            not in (0, 1).

    Example:
        >>> experiment_data([[1.0], [2.0]], [0, 1], [0.0, 1.0]).propensity.tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    known = floats_given(features, "features", axes=None)
    taken, came = places_given(arm, "arm"), floats_given(outcome, "outcome")
    if known.ndim != 2 or taken.shape != (len(known),) or came.shape != (len(known),):
        raise InputError(
            f"features have shape {known.shape}, arms {taken.shape}, outcomes {came.shape}; give "
            "one row, arm and outcome per customer"
        )
    counts = np.bincount(taken, minlength=2)
    if (counts == 0).any():
        raise InputError(f"arms have {counts.tolist()} customers, every arm must have some")
    chances = counts / taken.size
    if propensity is not None:
        chances = floats_given(propensity, "propensity", axes=None)
    if chances.shape[:-1] not in {(), taken.shape} or not chances.ndim:
        raise InputError(
            f"propensity has shape {chances.shape}; give one per arm, or per customer and arm"
        )
    chances = np.broadcast_to(chances, (taken.size, chances.shape[-1]))
    if chances.shape[1] < counts.size or not ((chances > 0) & (chances < 1)).all():
        raise InputError(
            "propensity must hold a number in (0, 1) for every arm; leave out customers who had "
            "no choice"
        )
    return ExperimentData(known, taken, came, chances)


def asked_of(features: ArrayLike, width: int) -> Floats:
    """Take features a learner is asked about.

    Args:
        features: An array, a frame or a table of numbers, shape (customers, features).
        width: Features the learner was fitted on.

    Returns:
        The features.

    Raises:
        InputError: Something is nan or no number, or there are more or fewer features.
    """
    known = floats_given(features, "features", axes=2)
    if known.shape[1] != width:
        raise InputError(
            f"features have {known.shape[1]} columns, the learner was fitted on {width}; give the "
            "same, in the same order"
        )
    return known


def folds_of(customers: int, folds: int, *, seed: int) -> NDArray[np.int64]:
    """Deal customers into folds.

    Args:
        customers: How many.
        folds: Folds, 2 or more.
        seed: Root of the deal.

    Returns:
        Number of the fold of each customer, shape (customers,).

    Raises:
        InputError: There are fewer customers than folds.
    """
    if folds < 2 or customers < folds:
        raise InputError(f"{customers} customers cannot be dealt into {folds} folds; give more")
    return np.random.default_rng(seed).permutation(customers) % folds
