"""How sure are we that a rate lies above a limit, however often we look?"""

import math
from dataclasses import dataclass

from scipy.stats import beta

STEEPNESS = (1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 20.0, 50.0)
"""Rates tried against the limit, as its multiples; each gets the same weight."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share that was counted.

    Attributes:
        hits: How often it happened.
        tried: How often it could have.
    """

    hits: int
    tried: int

    @property
    def share(self) -> float:
        """The share seen; 0 when nothing was tried."""
        return self.hits / self.tried if self.tried else 0.0


def exact_interval(rate: Rate, *, level: float) -> tuple[float, float]:
    """Give the rates that fit what was counted.

    Args:
        rate: What was counted.
        level: Coverage of the interval, in (0, 1).

    Returns:
        Lower and upper end; (0, 1) when nothing was tried.

    Source:
        Clopper & Pearson (1934), "The use of confidence or fiducial limits illustrated in
        the case of the binomial", Biometrika 26.

    Example:
        >>> low, high = exact_interval(Rate(4, 20), level=0.95)
        >>> round(low, 4), round(high, 4)
        (0.0573, 0.4366)
    """
    if not rate.tried:
        return 0.0, 1.0
    tail, misses = (1 - level) / 2, rate.tried - rate.hits
    low = float(beta.ppf(tail, rate.hits, misses + 1)) if rate.hits else 0.0
    high = float(beta.ppf(1 - tail, rate.hits + 1, misses)) if misses else 1.0
    return low, high


def evidence_above(rate: Rate, limit: float) -> float:
    """Weigh the evidence that a rate lies above a limit.

    The weight is a likelihood ratio, averaged over rates above the limit. While the true
    rate is at or below the limit, it passes 1/a with probability at most a, at any of all
    looks together: a campaign that is looked at every minute is stopped by luck no more often
    than one that is looked at once.

    Args:
        rate: What was counted so far.
        limit: The limit, in (0, 1).

    Returns:
        The weight: 1 when nothing was tried, 100 for evidence at level 0.99.

    Source:
        Robbins (1970), "Statistical methods related to the law of the iterated logarithm",
        Annals of Mathematical Statistics 41: the mixture martingale, with Ville's inequality.

    Example:
        >>> evidence_above(Rate(0, 0), 0.05)
        1.0
        >>> evidence_above(Rate(3, 20), 0.05) < 100 < evidence_above(Rate(30, 200), 0.05)
        True
    """
    tried = [min(limit * times, (limit + 1) / 2) for times in STEEPNESS]
    misses = rate.tried - rate.hits
    logs = [
        rate.hits * math.log(one / limit) + misses * math.log((1 - one) / (1 - limit))
        for one in tried
    ]
    highest = max(logs)
    mean = sum(math.exp(one - highest) for one in logs) / len(logs)
    return math.exp(min(highest + math.log(mean), 700.0))


def is_above(rate: Rate, limit: float, *, level: float) -> bool:
    """Tell whether a rate is known to lie above a limit.

    Args:
        rate: What was counted so far.
        limit: The limit, in (0, 1).
        level: Probability that a rate at or below the limit is never said to be above it.

    Returns:
        True once the evidence is enough; False while it may be luck.

    Example:
        >>> is_above(Rate(2, 10), 0.05, level=0.99), is_above(Rate(40, 200), 0.05, level=0.99)
        (False, True)
    """
    return evidence_above(rate, limit) >= 1 / (1 - level)
