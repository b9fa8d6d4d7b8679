"""Sample ratio mismatch (SRM): do treated and held-out customers stand in the designed ratio?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, gammaln

from regulars.errors import InputError

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
    counts: Sequence[int], design: Sequence[float], *, alpha: float = 0.001
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
        InputError: Lengths differ, shares are not shares, or nobody was seen.

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
    _require_design(counts, design)
    seen = sum(counts)
    expected = [seen * share for share in design]
    if len(counts) == 2 and min(expected) < SMALL:
        p_value = _exact(counts[1], seen, design[1])
    else:
        statistic = sum((c - e) ** 2 / e for c, e in zip(counts, expected, strict=True))
        p_value = float(chdtrc(len(counts) - 1, statistic))
    return SampleRatio(p_value, p_value < alpha)


def _exact(counted: int, seen: int, share: float) -> float:
    others = np.arange(seen + 1)
    ways = gammaln(seen + 1) - gammaln(others + 1) - gammaln(seen - others + 1)
    chances = np.exp(ways + others * np.log(share) + (seen - others) * np.log1p(-share))
    as_rare = chances <= chances[counted] * (1 + 1e-7)
    return float(min(1.0, chances[as_rare].sum()))


def _require_design(counts: Sequence[int], design: Sequence[float]) -> None:
    if len(counts) != len(design) or len(counts) < 2:
        raise InputError(
            f"{len(counts)} counts and {len(design)} shares were given; "
            "give the same two or more groups to both"
        )
    if min(design) <= 0 or not np.isclose(sum(design), 1.0, rtol=0, atol=1e-9):
        raise InputError(
            f"design is {list(design)} and sums to {sum(design):g}; "
            "give shares above 0 that sum to 1"
        )
    if min(counts) < 0 or sum(counts) == 0:
        raise InputError(f"counts are {list(counts)}; give the customers seen, at least one")
