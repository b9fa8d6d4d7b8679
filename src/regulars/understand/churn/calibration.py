"""Calibration: of customers given 30 %, do 30 % churn?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from regulars.errors import InputError
from regulars.numerics.given import flags_given, floats_given, number_given
from regulars.understand.churn.hazard import fit_hazard

Numbers = NDArray[np.float64]


class Calibration(StrEnum):
    """How scores become probabilities."""

    ISOTONIC = "isotonic"
    PLATT = "platt"
    NONE = "none"


class Calibrator(Protocol):
    """Turns scores into probabilities."""

    def __call__(self, scores: Numbers, /) -> Numbers:
        """Probabilities of scores, shape (customers,)."""


@dataclass(frozen=True)
class Isotonic:
    """A rising line through what was seen.

    Attributes:
        scores: Where the line bends, ascending.
        chances: Probability there, ascending.
    """

    scores: Numbers
    chances: Numbers

    def __call__(self, scores: Numbers, /) -> Numbers:
        """Give the probability of each score; beyond the ends, that of the end."""
        return np.asarray(np.interp(scores, self.scores, self.chances), dtype=np.float64)


def fit_isotonic(scores: ArrayLike, churned: ArrayLike) -> Isotonic:
    """Fit the rising line nearest to what was seen, by pooling adjacent violators.

    Args:
        scores: Any scores, higher for who is more likely to churn, shape (customers,); made
            without the customer's own outcome.
        churned: True where the customer churned.

    Returns:
        The line. Where nobody of the outermost block churned, or all did, half a customer is
        added, so that nobody is given a probability of 0 or 1.

    Source:
        Ayer, Brunk, Ewing, Reid & Silverman (1955), Annals of Mathematical Statistics 26(4);
        Zadrozny & Elkan (2002), KDD, for probabilities.

    Example:
        >>> line = fit_isotonic([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1])
        >>> line(np.array([0.25])).tolist()
        [0.5]
    """
    score, truth = _pair(scores, churned)
    level, at = np.unique(score, return_inverse=True)
    counts = np.bincount(at).astype(np.float64)
    means = np.bincount(at, weights=truth) / counts
    sums: list[list[float]] = []
    for place in range(len(level)):
        sums.append([means[place] * counts[place], counts[place], level[place], level[place]])
        while len(sums) > 1 and sums[-2][0] * sums[-1][1] >= sums[-1][0] * sums[-2][1]:
            gone, seen, _, last = sums.pop()
            sums[-1][0] += gone
            sums[-1][1] += seen
            sums[-1][3] = last
    blocks = np.array(sums)
    chance = blocks[:, 0] / blocks[:, 1]
    half = 0.5 / (blocks[:, 1] + 1.0)
    if chance[0] == 0:
        chance[0] = min([half[0], *chance[1:2]])
    if chance[-1] == 1:
        chance[-1] = max([1 - half[-1], *chance[-2:-1]])
    bends = np.stack([blocks[:, 2], blocks[:, 3]], axis=1).ravel()
    return Isotonic(bends, np.repeat(chance, 2))


@dataclass(frozen=True)
class Platt:
    """A straight line on log odds.

    Attributes:
        intercept: Log odds added.
        slope: What log odds are multiplied by; below 1 when scores were too bold.
    """

    intercept: float
    slope: float

    def __call__(self, scores: Numbers, /) -> Numbers:
        """Give the probability of each score, a probability itself."""
        odds = logit(np.clip(scores, 1e-9, 1 - 1e-9))
        return np.asarray(expit(self.intercept + self.slope * odds), dtype=np.float64)


def fit_platt(scores: ArrayLike, churned: ArrayLike) -> Platt:
    """Fit a straight line on log odds.

    Args:
        scores: Probabilities said, shape (customers,); made without the own outcome.
        churned: True where the customer churned.

    Returns:
        The line; smoother than the isotonic one, for few customers.

    Raises:
        NotReady: Fewer than 10 churned, or fewer than 10 stayed.

    Source:
        Platt (1999), "Probabilistic Outputs for Support Vector Machines".

    Example:
        >>> said, came = np.repeat([0.1, 0.9], 100), np.repeat([0, 1, 0, 1], [70, 30, 30, 70])
        >>> fit_platt(said, came)(np.array([0.9])).round(2).tolist()
        [0.68]
    """
    score, truth = _pair(scores, churned)
    odds = logit(np.clip(score, 1e-9, 1 - 1e-9))
    fitted = fit_hazard(odds[:, None], truth)
    slope = float(fitted.slope[0] / fitted.scale[0])
    return Platt(fitted.intercept - slope * float(fitted.centre[0]), slope)


def expected_calibration_error(
    probabilities: ArrayLike, churned: ArrayLike, *, bins: int = 10
) -> float:
    """Tell how far probabilities are from how often it happened.

    Args:
        probabilities: Probabilities of churn, in [0, 1], shape (customers,).
        churned: True where the customer churned.
        bins: Groups of equally many customers, by probability.

    Returns:
        Mean over customers of the gap between said and seen in their group, 0 to 1.

    Raises:
        InputError: The two differ in length, there is nobody, or something is no probability.

    Source:
        Naeini, Cooper & Hauskrecht (2015), AAAI; with groups of equal size, so that no group is
        near empty.

    Example:
        >>> expected_calibration_error([0.2] * 10, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0], bins=1)
        0.0
    """
    said, truth = _pair(probabilities, churned)
    floats_given(said, "probabilities", least=0, most=1)
    number_given(bins, "bins", least=1)
    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), bins) if part.size]
    gaps = [abs(float((said[part] - truth[part]).sum())) for part in parts]
    return round(sum(gaps) / said.size, 12)


def _pair(scores: ArrayLike, churned: ArrayLike) -> tuple[Numbers, Numbers]:
    score = floats_given(scores, "scores")
    truth = flags_given(churned, "churned").astype(np.float64)
    if score.shape != truth.shape or not score.size:
        raise InputError(
            f"scores {score.shape} and churned {truth.shape} must be of equal length, one of each "
            "per customer"
        )
    return score, truth
