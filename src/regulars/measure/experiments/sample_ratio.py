"""Sample ratio mismatch (SRM): do treated and held-out customers stand in the designed ratio?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, gammaln

from regulars.errors import InputError
from regulars.numerics.given import floats_given, number_given, places_given

SMALL = 25
"""Expected customers in a group below which the exact binomial test replaces chi-squared."""


@dataclass(frozen=True)
class SampleRatio:
    """Outcome of one check.

    Attributes:
        p_value: Probability of a split at least this uneven if the design held.
        mismatch: True when no effect may be read from the groups.
    """

    p_value: float
    mismatch: bool


def check_sample_ratio(
    counts: ArrayLike, design: ArrayLike, *, alpha: float = 0.001
) -> SampleRatio:
    """Test whether the customers seen could have come from the designed split.

    Pearson's chi-squared; with two groups of which one should hold fewer than 25 customers
    the exact binomial test, since chi-squared calls small groups uneven too often.

    Args:
        counts: Customers seen per group, >= 0, two groups or more; shape (groups,).
        design: Share of customers meant per group, > 0, sums to 1; shape (groups,).
        alpha: Call it a mismatch below this p-value, in (0, 1). Far below the level used for
            effects, because every campaign of every turn is checked.

    Returns:
        The check. With `mismatch` true the groups differ by more than their treatment.

    Raises:
        InputError: Lengths differ, a count is no whole number, shares are not shares, or nobody
            was seen.

    Source:
        Fabijan et al. (2019), "Diagnosing Sample Ratio Mismatch in Online Controlled
        Experiments", KDD '19. The exact test for small groups is ours: where 2 of 20
        are expected and 8 seen, the chi-squared p-value is 50 times too small.

    Example:
        >>> round(check_sample_ratio([500, 600], [0.5, 0.5]).p_value, 8)
        0.00256883
        >>> check_sample_ratio([40, 10], [0.9, 0.1]).mismatch
        False
    """
    found, shares = places_given(counts, "counts"), floats_given(design, "design")
    number_given(alpha, "alpha", above=0, below=1)
    _require_design(found, shares)
    seen = int(found.sum())
    expected = seen * shares
    if found.size == 2 and expected.min() < SMALL:
        p_value = _exact(int(found[1]), seen, float(shares[1]))
    else:
        p_value = float(chdtrc(found.size - 1, float(((found - expected) ** 2 / expected).sum())))
    return SampleRatio(p_value, p_value < alpha)


def _exact(counted: int, seen: int, share: float) -> float:
    others = np.arange(seen + 1)
    ways = gammaln(seen + 1) - gammaln(others + 1) - gammaln(seen - others + 1)
    chances = np.exp(ways + others * np.log(share) + (seen - others) * np.log1p(-share))
    as_rare = chances <= chances[counted] * (1 + 1e-7)
    return float(min(1.0, chances[as_rare].sum()))


def _require_design(counts: NDArray[np.int64], design: NDArray[np.float64]) -> None:
    if counts.size != design.size or counts.size < 2:
        raise InputError(
            f"{counts.size} counts and {design.size} shares were given; "
            "give the same two or more groups to both"
        )
    if design.min() <= 0 or not np.isclose(design.sum(), 1.0, rtol=0, atol=1e-9):
        raise InputError(
            f"design is {design.tolist()} and sums to {design.sum():g}; "
            "give shares above 0 that sum to 1"
        )
    if counts.sum() == 0:
        raise InputError(f"counts are {counts.tolist()}; give the customers seen, at least one")
