"""The Net Promoter Score and its interval, from counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

PROMOTER, DETRACTOR = 9, 6
ADDED = 0.75


@dataclass(frozen=True)
class Score:
    """A share or a score with its interval.

    Attributes:
        value: The estimate; nan when nobody answered.
        low: Lower end.
        high: Upper end.
        level: Coverage of the interval.
        answers: Answers it rests on.
    """

    value: float
    low: float
    high: float
    level: float
    answers: int


def promoter_variance(promoters: float, passives: float, detractors: float) -> float:
    """Give the variance of one answer, as +1, 0 or -1.

    Args:
        promoters: How many gave 9 or 10, or their share.
        passives: 7 or 8.
        detractors: 0 to 6.

    Returns:
        Between 0 and 1.

    Source:
        Cross Validated, "How can I calculate margin of error in a NPS (Net Promoter Score)
        result?", whose example this is: a score of 1/3.

    Example:
        >>> round(promoter_variance(1 / 2, 1 / 3, 1 / 6), 6) == round(5 / 9, 6)
        True
    """
    total = promoters + passives + detractors
    score = (promoters - detractors) / total
    return (promoters + detractors) / total - score * score


def net_promoter_score(counts: Mapping[int, int], *, level: float = 0.95) -> Score:
    """Give the share of promoters less that of detractors, with its interval.

    Args:
        counts: Answers by score, 0 to 10.
        level: Coverage wanted, 0 to 1.

    Returns:
        From -1 to 1. The interval is the adjusted Wald one: three answers are added, three
        quarters of one to promoters and to detractors each, so that a few answers of one kind
        do not pass for certainty; it is cut at -1 and 1, and reaches to the score itself, which
        the added answers would leave outside when a few people agree.

    Source:
        Rocks (2016), Interval estimation for the Net Promoter Score, The American
        Statistician 70(4), 365-372.

    Example:
        >>> found = net_promoter_score({10: 162, 8: 108, 3: 54})
        >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
        (0.333, 0.249, 0.411)
    """
    promoters = sum(n for score, n in counts.items() if score >= PROMOTER)
    detractors = sum(n for score, n in counts.items() if score <= DETRACTOR)
    answers = sum(counts.values())
    if not answers:
        return Score(float("nan"), -1.0, 1.0, level, 0)
    passives = answers - promoters - detractors
    more = (promoters + ADDED, passives + 2 * ADDED, detractors + ADDED)
    centre = (more[0] - more[2]) / sum(more)
    score = (promoters - detractors) / answers
    half = NormalDist().inv_cdf((1 + level) / 2) * sqrt(promoter_variance(*more) / sum(more))
    return Score(
        score,
        max(-1.0, min(centre - half, score)),
        min(1.0, max(centre + half, score)),
        level,
        answers,
    )
