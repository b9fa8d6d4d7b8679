"""Learn effects from randomised decisions: outcome residual on action residual."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.decide.offers import Arm
from regulars.decide.uplift.effects import LEARNED_BLOCKS, arm_coefficients, contrast_design
from regulars.numerics.linear_belief import LinearBelief

Floats = NDArray[np.float64]

_RIDGE = 1.0
_SURE_SD = 0.2
_LEAST_VARIANCE = 0.05
_STAYS = 0.97
_STAYS_AFTER_SHIFT = 0.15
_SHIFT_SLOPE, _SHIFT_Z = 0.5, 3.5


@dataclass(frozen=True)
class Evidence:
    """What one turn's decisions and outcomes say.

    Attributes:
        customers: Features at the decision, shape (customers, features).
        baseline: Orders expected in the window without looking at contacts, (customers,).
        outcome: Orders of the window, net of discounts in orders; shape (customers,).
        contrast: Action taken minus its probability, shape (customers, arms).
    """

    customers: Floats
    baseline: Floats
    outcome: Floats
    contrast: Floats


@dataclass(frozen=True)
class Residuals:
    """Outcomes freed from what the profile explains.

    Attributes:
        residual: Outcome minus its mean given the profile, shape (customers,).
        weight: One over the residual's variance, shape (customers,).
    """

    residual: Floats
    weight: Floats


def residuals(evidence: Evidence) -> Residuals:
    """Free outcomes from what the profile explains.

    The mean of the outcome given the profile is fitted by weighted ridge regression on the
    turn's own rows, whatever was done to the customer. Orders are counts, so the variance is
    taken to grow with the expected count.

    Args:
        evidence: One turn's decisions and outcomes.

    Returns:
        Residuals with weights.

    Source:
        Robinson (1988), Econometrica 56(4); Nie & Wager (2021), "Quasi-oracle estimation of
        heterogeneous treatment effects", Biometrika 108(2), eq. 4: both sides are centred.
    """
    spread = evidence.baseline[:, None] * evidence.customers
    basis = np.concatenate([evidence.customers, spread, evidence.baseline[:, None] ** 2], axis=1)
    weight = 1 / np.maximum(evidence.baseline, _LEAST_VARIANCE)
    gram = (basis * weight[:, None]).T @ basis + _RIDGE * np.eye(basis.shape[1])
    fitted = basis @ np.linalg.solve(gram, basis.T @ (weight * evidence.outcome))
    residual = evidence.outcome - fitted
    scale = max(float((weight * residual**2).mean()), 1e-6)
    return Residuals(residual, weight / scale)


@dataclass(frozen=True)
class Lesson:
    """What was learned from one turn.

    Attributes:
        belief: The belief after it.
        slope: Measured effect per predicted effect, 1 when the prediction was right.
        slope_sd: Standard error of the slope; inf when nothing was predicted.
        shifted: True when responses seem to have changed, so that older data was discounted.
    """

    belief: LinearBelief
    slope: float
    slope_sd: float
    shifted: bool


def learn(belief: LinearBelief, arms: Sequence[Arm], evidence: Evidence) -> Lesson:
    """Update the belief about effects with one turn.

    Args:
        belief: What was believed before; covers every arm.
        arms: The actions of the turn, in order of the contrast's columns.
        evidence: The turn's decisions and outcomes.

    Returns:
        The lesson. When a sure prediction turns out less than half true, older data keeps only
        15 % of its weight, so that the belief follows the new responses.

    Source:
        Ours, because a bandit literature default (a fixed discount) either forgets a
        stationary retailer or follows a changed one too late; the slope decides.
    """
    freed = residuals(evidence)
    predicted = predicted_effect(belief, arms, evidence)
    slope, slope_sd = _slope(predicted, freed)
    shifted = slope_sd < _SURE_SD and (_SHIFT_SLOPE - slope) / slope_sd > _SHIFT_Z
    shifted = shifted and bool(belief.precision.any())
    kept = belief.discounted(_STAYS_AFTER_SHIFT if shifted else _STAYS)
    design = contrast_design(belief.terms, arms, evidence.customers, evidence.contrast)
    updated = kept.updated(design, freed.residual, freed.weight)
    return Lesson(updated.with_learned_spread(LEARNED_BLOCKS), slope, slope_sd, shifted)


def predicted_effect(belief: LinearBelief, arms: Sequence[Arm], evidence: Evidence) -> Floats:
    """Give what the belief says the actions changed, against their probabilities: (customers,)."""
    per_arm = arm_coefficients(belief.terms, arms, belief.posterior()[0])
    return np.asarray((evidence.contrast * (evidence.customers @ per_arm.T)).sum(axis=1))


def _slope(predicted: Floats, freed: Residuals) -> tuple[float, float]:
    information = float((freed.weight * predicted**2).sum())
    if information <= 0:
        return 1.0, float("inf")
    slope = float((freed.weight * predicted * freed.residual).sum()) / information
    return slope, information**-0.5
