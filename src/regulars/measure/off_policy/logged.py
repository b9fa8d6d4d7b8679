"""Logged decisions: what was done, how likely it was, what came of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, places_given

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Logged:
    """Decisions of the policy that was at work, and what another would have done.

    Attributes:
        arm: Number of the arm taken, shape (decisions,).
        reward: What came of it, shape (decisions,).
        propensity: Probability the arm had when it was drawn, in (0, 1]; shape (decisions,).
        target: Probabilities the policy to be judged gives the arms of each decision, rows
            sum to 1; shape (decisions, arms).
        predicted: Reward a model expects of each arm, trained without the decision itself;
            shape (decisions, arms). Zeros where there is no model.
    """

    arm: NDArray[np.int64]
    reward: Floats
    propensity: Floats
    target: Floats
    predicted: Floats

    @property
    def weight(self) -> Floats:
        """How much more likely the judged policy takes the logged arm; shape (decisions,)."""
        return np.asarray(self.target[np.arange(self.arm.size), self.arm] / self.propensity)

    @property
    def predicted_taken(self) -> Floats:
        """Reward the model expected of the arm taken; shape (decisions,)."""
        return np.asarray(self.predicted[np.arange(self.arm.size), self.arm])

    @property
    def predicted_target(self) -> Floats:
        """Reward the model expects of the judged policy; shape (decisions,)."""
        return np.asarray((self.target * self.predicted).sum(axis=1))


def logged(
    arm: ArrayLike,
    reward: ArrayLike,
    propensity: ArrayLike,
    target: ArrayLike,
    predicted: ArrayLike | None = None,
) -> Logged:
    """Take a decision log.

    Args:
        arm: Number of the arm taken, shape (decisions,).
        reward: What came of it, shape (decisions,).
        propensity: Probability the arm had, shape (decisions,).
        target: Probabilities of the policy to be judged, shape (decisions, arms).
        predicted: Reward a model expects of each arm, shape (decisions, arms).

    Returns:
        The log.

    Raises:
        InputError: Shapes do not fit, a propensity is not in (0, 1], a row of `target` does not
            sum to 1, or something is nan.

    Example:
        >>> logged([0, 1], [1.0, 0.0], [0.5, 0.5], [[0.0, 1.0], [0.0, 1.0]]).weight.tolist()
        [0.0, 2.0]
    """
    chances = floats_given(target, "target", axes=2)
    whole = Logged(
        places_given(arm, "arm"),
        floats_given(reward, "reward"),
        floats_given(propensity, "propensity"),
        chances,
        np.zeros_like(chances)
        if predicted is None
        else floats_given(predicted, "predicted", axes=2),
    )
    _check(whole)
    return whole


def _check(log: Logged) -> None:
    decisions = log.arm.size
    if (
        log.reward.shape != (decisions,)
        or log.propensity.shape != (decisions,)
        or log.target.shape[0] != decisions
        or log.predicted.shape != log.target.shape
    ):
        raise InputError(
            f"{decisions} arms, rewards {log.reward.shape}, propensities {log.propensity.shape}, "
            f"target {log.target.shape}, predictions {log.predicted.shape}; give one of each per "
            "decision, and one probability per decision and arm"
        )
    if decisions == 0:
        raise InputError("the log is empty; wait until something was decided")
    if log.arm.min() < 0 or log.arm.max() >= log.target.shape[1]:
        raise InputError(
            f"arms run from {log.arm.min()} to {log.arm.max()}, must be 0 to "
            f"{log.target.shape[1] - 1}; number them as the columns of target"
        )
    if not ((log.propensity > 0) & (log.propensity <= 1)).all():
        raise InputError(
            f"propensities run from {log.propensity.min():g} to {log.propensity.max():g}, must be "
            "above 0 and at most 1; leave out decisions that were not drawn at random"
        )
    if np.abs(log.target.sum(axis=1) - 1).max() > 1e-6 or log.target.min() < -1e-12:
        raise InputError("a row of target does not hold probabilities that sum to 1")
