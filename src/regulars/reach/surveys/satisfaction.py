"""The share of satisfied customers and its interval, from counts."""

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist

from regulars.reach.surveys.recommending import Score

SATISFIED = 4


def wilson_interval(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Give the interval of a share.

    Args:
        successes: How many, 0 to `trials`.
        trials: Of how many, 1 or more.
        level: Coverage wanted, 0 to 1.

    Returns:
        Lower and upper end.

    Source:
        Wilson (1927), JASA 22, 209-212; the example is of Newcombe (1998), Statistics in
        Medicine 17, 857-872, Table I.

    Example:
        >>> [round(end, 4) for end in wilson_interval(81, 263)]
        [0.2553, 0.3662]
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def satisfied_share(counts: Mapping[int, int], *, level: float = 0.95) -> Score:
    """Give the share of answers of 4 or 5, with its interval.

    Args:
        counts: Answers by score, 1 to 5.
        level: Coverage wanted.

    Returns:
        From 0 to 1; nan with the whole range when nobody answered.

    Example:
        >>> round(satisfied_share({5: 60, 4: 21, 2: 182}).value, 3)
        0.308
    """
    answers = sum(counts.values())
    satisfied = sum(n for score, n in counts.items() if score >= SATISFIED)
    if not answers:
        return Score(float("nan"), 0.0, 1.0, level, 0)
    low, high = wilson_interval(satisfied, answers, level=level)
    return Score(satisfied / answers, low, high, level, answers)
