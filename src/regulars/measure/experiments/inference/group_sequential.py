"""Group-sequential bounds: a few looks planned beforehand, the error spent over them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from regulars.errors import InputError
from regulars.measure.experiments.inference.estimate import Estimate, Reading, require_level
from regulars.numerics.given import floats_given, number_given, require_one_length, word_given

Values = NDArray[np.float64]

FARTHEST = 8.0
"""Bound where so little error may be spent that no z-score would reach it."""
_NOWHERE = 6.5
"""Beyond this z-score there is less than 1e-10 of anything."""
_MOST_NODES = 512


class Spending(StrEnum):
    """How the error is spent: almost nothing early, by the square of the share, or evenly."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"
    SQUARE = "square"


def bounds(
    information: ArrayLike,
    *,
    alpha: float = 0.05,
    spending: Spending | str = Spending.OBRIEN_FLEMING,
) -> Values:
    """Say how far from zero the z-score must be at each look.

    Looks may come at any time and need not be equally spaced: only the information they had
    enters. A look later on does not change the bounds of earlier ones.

    Args:
        information: Share of the planned information at each look, rising, in (0, 1]; shape
            (looks,). With customers as information: seen so far over planned in all.
        alpha: Two-sided probability of a false claim over all looks together, in (0, 1).
        spending: How the error is spent.

    Returns:
        Critical value of the absolute z-score at each look, shape (looks,).

    Raises:
        InputError: The shares do not rise or leave (0, 1], or alpha is not in (0, 1).
        UnknownName: There is no such way to spend.

    Source:
        Lan & DeMets (1983), "Discrete Sequential Boundaries for Clinical Trials", Biometrika
        70(3); recursive integration of Armitage, McPherson & Rowe (1969), JRSS A 132(2).

    Example:
        >>> [round(float(z), 3) for z in bounds([0.2, 0.4, 0.6, 0.8, 1.0])]
        [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    times = floats_given(information, "information")
    if times.size == 0 or times[0] <= 0 or times[-1] > 1 + 1e-12 or np.any(np.diff(times) <= 0):
        raise InputError(
            f"information is {times.tolist()}, must rise from above 0 to at most 1; give the "
            "share of planned customers at each look"
        )
    alpha = number_given(alpha, "alpha", above=0, below=1)
    spent = _spent(times, alpha, word_given(spending, Spending, "spending"))
    found = np.empty(times.size)
    walk = _Walk()
    for look, (time, part) in enumerate(zip(times, np.diff(spent, prepend=0.0), strict=True)):
        walk.go_to(float(time))
        found[look] = _bound(walk.crossing, float(part))
        walk.stay_within(found[look])
    return found


def crossing_probability(limits: ArrayLike, information: ArrayLike, *, drift: float = 0.0) -> float:
    """Probability that the z-score leaves the bounds at some look.

    Args:
        limits: Critical value at each look, 0 or more, shape (looks,).
        information: Share of the planned information at each look, rising from above 0; shape
            (looks,).
        drift: Expected z-score at full information: effect over its standard error there.

    Returns:
        With drift 0 the probability of a false claim, otherwise the power.

    Raises:
        InputError: The two differ in length, a limit is below 0, or the shares do not rise.

    Source:
        Armitage, McPherson & Rowe (1969), JRSS A 132(2).

    Example:
        >>> times = [0.2, 0.4, 0.6, 0.8, 1.0]
        >>> round(crossing_probability(bounds(times), times), 6)
        0.05
        >>> round(crossing_probability([1.96] * 5, times), 3)
        0.142
    """
    edges = floats_given(limits, "limits", least=0, may_be_infinite=True)
    times = floats_given(information, "information")
    require_one_length(limits=edges, information=times)
    if np.any(np.diff(times, prepend=0.0) <= 0):
        raise InputError(f"information is {times.tolist()}, must rise from above 0")
    drift = number_given(drift, "drift")
    points, weights, before = np.zeros(1), np.ones(1), 0.0
    for limit, time in zip(edges.tolist(), times.tolist(), strict=True):
        edge, step = min(float(limit), _NOWHERE + abs(drift)) * np.sqrt(time), time - before
        nodes, parts = _nodes(_MOST_NODES // 2)
        at, spread = nodes * edge, np.sqrt(2 * step)
        gap = (at[:, None] - points - drift * step) / spread
        density = np.exp(-(gap**2)) @ weights / (spread * np.sqrt(np.pi))
        points, weights, before = at, density * parts * edge, time
    return float(1 - weights.sum())


def read_at_look(
    estimate: Estimate,
    information: ArrayLike,
    *,
    level: float = 0.95,
    spending: Spending | str = Spending.OBRIEN_FLEMING,
) -> Reading:
    """Read an estimate at the last of some planned looks.

    Args:
        estimate: What was found at the last look.
        information: Share of the planned information at this and all earlier looks.
        level: Coverage over all looks together, in (0, 1).
        spending: How the error is spent.

    Returns:
        The reading: interval by the bound of this look; the p-value is the least error over all
        looks at which this look would have claimed, so that it is below `1 - level` just where
        the interval leaves out zero.

    Example:
        >>> from regulars.measure.experiments import difference, moments
        >>> found = difference(moments(3407, 0.41, 3.9**2), moments(3461, 0.70, 6.2**2))
        >>> reading = read_at_look(found, [0.5, 1.0])
        >>> [round(float(part), 3) for part in (reading.low, reading.high, reading.p_value)]
        [0.044, 0.536, 0.02]
    """
    bound = float(bounds(information, alpha=require_level(level), spending=spending)[-1])
    error = np.where(estimate.standard_error > 0, estimate.standard_error, np.nan)
    score = np.abs(estimate.effect / error)
    crossed = np.vectorize(lambda z: _least_error(float(z), information, spending), otypes=[float])
    return Reading(
        np.asarray(estimate.effect),
        np.asarray(estimate.effect - bound * error),
        np.asarray(estimate.effect + bound * error),
        np.asarray(crossed(score)),
    )


def _least_error(score: float, information: ArrayLike, spending: Spending | str) -> float:
    """Error over all looks at which the last bound is this score; 1 where none is."""

    def over(log_alpha: float) -> float:
        return float(bounds(information, alpha=np.exp(log_alpha), spending=spending)[-1]) - score

    most, least = np.log(0.999), np.log(1e-12)
    if np.isnan(score) or over(most) >= 0:
        return 1.0
    return float(np.exp(brentq(over, least, most, xtol=1e-6))) if over(least) > 0 else 1e-12


def _spent(times: Values, alpha: float, spending: Spending) -> Values:
    capped = np.minimum(times, 1.0)
    if spending is Spending.OBRIEN_FLEMING:
        # Twice the one-sided function at half the error: both sides are bounded.
        return np.asarray(4 * ndtr(-ndtri(1 - alpha / 4) / np.sqrt(capped)))
    if spending is Spending.SQUARE:
        return np.asarray(alpha * capped**2)
    return np.asarray(alpha * np.log1p((np.e - 1) * capped))


def _bound(crossing: Callable[[float], float], part: float) -> float:
    if part <= 0 or crossing(FARTHEST) >= part:
        return FARTHEST
    return float(brentq(lambda z: crossing(z) - part, 0.0, FARTHEST, xtol=1e-10))


@dataclass
class _Walk:
    """Summed evidence that has crossed no bound yet; by symmetry only its positive half."""

    time: float = 0.0
    step: float = 0.0
    points: Values | None = None
    weights: Values | None = None

    def go_to(self, time: float) -> None:
        self.step, self.time = time - self.time, time

    def crossing(self, bound: float) -> float:
        """Probability of having crossed no bound before and crossing this one now."""
        if self.points is None or self.weights is None:
            return float(2 * ndtr(-bound))
        edge, spread = bound * np.sqrt(self.time), np.sqrt(self.step)
        outside = ndtr((self.points - edge) / spread) + ndtr(-(self.points + edge) / spread)
        return float(2 * self.weights @ outside)

    def stay_within(self, bound: float) -> None:
        """Keep only the part that stayed within the bound of this look."""
        edge = min(bound, _NOWHERE) * np.sqrt(self.time)
        nodes, parts = _nodes(self._needed(edge))
        points = (nodes + 1) * edge / 2
        if self.points is None or self.weights is None:
            density = np.exp(-(points**2) / (2 * self.time)) / np.sqrt(2 * np.pi * self.time)
        else:
            spread = np.sqrt(2 * self.step)
            near = np.exp(-(((points[:, None] - self.points) / spread) ** 2))
            far = np.exp(-(((points[:, None] + self.points) / spread) ** 2))
            density = (near + far) @ self.weights / (spread * np.sqrt(np.pi))
        self.points, self.weights = points, density * parts * edge / 2

    def _needed(self, edge: float) -> int:
        """Points that resolve the narrowest bell: that of one step, at this time."""
        return int(min(_MOST_NODES, max(48, 16 * np.ceil(edge / np.sqrt(self.step) / 5))))


@cache
def _nodes(count: int) -> tuple[Values, Values]:
    nodes, parts = np.polynomial.legendre.leggauss(count)
    return nodes, parts
