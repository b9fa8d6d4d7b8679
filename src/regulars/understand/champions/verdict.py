"""What a trial of a challenger found, and what predictions must be to be used at all."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from regulars.numerics.paired_bootstrap import Difference
from regulars.understand.champions.family import Family

Numbers = NDArray[np.float64]

LEAST_CUSTOMERS = 200
"""Fewest customers a challenger is judged on."""
LEVEL = 0.95
"""Coverage of the interval of a difference."""


class Verdict(StrEnum):
    """What became of a challenger; only `better` is promoted by itself."""

    BETTER = "better"
    NOT_BETTER = "not_better"
    TOO_FEW = "too_few"
    UNCALIBRATED = "uncalibrated"
    SUSPICIOUS = "suspicious"
    PEEKS = "peeks"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    FAILED = "failed"


NEVER = frozenset({Verdict.PEEKS, Verdict.NOT_FINITE, Verdict.OUT_OF_RANGE, Verdict.FAILED})
"""Verdicts with which not even a person can promote."""


@dataclass(frozen=True)
class Standing:
    """How well one recipe did on held-out weeks.

    Attributes:
        loss: Mean proper score per customer, less is better; nan when it gave none.
        calibration: Predicted over actual total; nan where nothing came.
    """

    loss: float
    calibration: float


@dataclass(frozen=True)
class Trial:
    """One challenger against the champion.

    Attributes:
        family: What the models answer.
        champion: Name of the champion.
        challenger: Name of the challenger.
        verdict: What became of it.
        customers: Customers of the comparison.
        held_from: Day number after which everything was held out.
        held_until: Last day number of the held-out weeks.
        mine: How the challenger did.
        theirs: How the champion did.
        difference: Challenger's loss less the champion's, with its interval; None when a gate
            stopped it before.
        says: What was wrong, in words; "" when nothing was.
    """

    family: Family
    champion: str
    challenger: str
    verdict: Verdict
    customers: int
    held_from: int
    held_until: int
    mine: Standing
    theirs: Standing
    difference: Difference | None
    says: str = ""


def check_predictions(family: Family, expected: Numbers, of: NDArray[np.bool_]) -> Verdict | None:
    """Tell whether predictions may be used at all.

    Args:
        family: What they answer.
        expected: Predictions, shape (customers,).
        of: True for the customers that need one, shape (customers,).

    Returns:
        None when they may; else not_finite or out_of_range.

    Example:
        >>> check_predictions(Family.CHURN, np.array([0.2, 1.2]), np.array([True, True])).value
        'out_of_range'
    """
    if expected.shape != of.shape or not np.isfinite(expected[of]).all():
        return Verdict.NOT_FINITE
    own = expected[of]
    most = 1.0 if family is Family.CHURN else np.inf
    return None if bool(((own >= 0) & (own <= most)).all()) else Verdict.OUT_OF_RANGE
