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
_LEAST_VARIANCE = 0.3
"""Least variance of a customer's orders: who seldom buys varies by the orders contacts add."""
_STAYS = 0.97
_STAYS_AFTER_SHIFT = 0.1
_SHIFT_EVIDENCE = 5.0
"""Logarithm of how much better a shift must explain the latest turns: odds of 150 to 1.

Where customers differ far more than their profiles tell, a few turns in a hundred pass it though
nothing changed."""


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
        suspicion: Logarithm of how much better a change explains the latest turns, 0 or more;
            what the next turn is learned with.
    """

    belief: LinearBelief
    slope: float
    slope_sd: float
    shifted: bool
    suspicion: float = 0.0


def learn(
    belief: LinearBelief, arms: Sequence[Arm], evidence: Evidence, *, suspicion: float = 0.0
) -> Lesson:
    """Update the belief about effects with one turn.

    Args:
        belief: What was believed before; covers every arm.
        arms: The actions of the turn, in order of the contrast's columns.
        evidence: The turn's decisions and outcomes.
        suspicion: What the lesson before said of a change.

    Returns:
        The lesson. When the latest turns are far likelier under a belief that has forgotten most
        of what it knew, responses seem to have changed: then a tenth of older data is kept, so
        that the belief follows the new ones.

    Source:
        West & Harrison (1997), "Bayesian Forecasting and Dynamic Models", ch. 11: a monitor by
        the cumulative Bayes factor of a discounted belief against the standing one. A
        fixed discount either forgets a stationary retailer or follows a changed one too late;
        and a slope of measured on predicted stays near 1 when offers trade places.
    """
    freed = residuals(evidence)
    predicted = predicted_effect(belief, arms, evidence)
    slope, slope_sd = _slope(predicted, freed)
    design = contrast_design(belief.terms, arms, evidence.customers, evidence.contrast)
    standing = belief.discounted(_STAYS)
    forgetful = belief.discounted(_STAYS_AFTER_SHIFT)
    found = 0.0
    if belief.precision.any():
        seen = design, freed.residual, freed.weight
        found = suspicion + forgetful.log_evidence(*seen) - standing.log_evidence(*seen)
    shifted = found > _SHIFT_EVIDENCE
    kept = (forgetful if shifted else standing).updated(design, freed.residual, freed.weight)
    left = 0.0 if shifted else max(found, 0.0)
    return Lesson(kept.with_learned_spread(LEARNED_BLOCKS), slope, slope_sd, shifted, left)


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
