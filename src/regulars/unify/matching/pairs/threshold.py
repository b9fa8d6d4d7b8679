"""The threshold: how sure two records must be for the whole to keep a wanted precision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """From which probability on two records are linked.

    Attributes:
        probability: Least probability of a linked pair.
        expected_precision: Share of linked pairs expected to be right; 1 when there are none.
        expected_recall: Share of the matches among compared pairs that are linked.
    """

    probability: float
    expected_precision: float
    expected_recall: float


def choose_threshold(probabilities: Floats, *, precision: float) -> Threshold:
    """Choose the least probability at which the linked pairs keep a precision.

    The model says of every pair how probably it is right, so it says of every set of pairs how
    many are expected to be. There is no constant to set: in a larger table a match is rarer
    among pairs, the same evidence makes a pair less probable, and the threshold follows.

    Args:
        probabilities: Probability of each compared pair; those far from a match may be missing.
        precision: Share of linked pairs that must be expected to be right, 0.5 to 1.

    Returns:
        The threshold; never below one half, so that no single link is more wrong than right.

    Source:
        Ours: the expected precision of a set is the mean of its posterior probabilities, as in
        Bayesian false discovery control (Storey 2003).

    Example:
        >>> found = choose_threshold(np.array([1.0, 0.9999, 0.99, 0.2]), precision=0.999)
        >>> found.probability, round(found.expected_precision, 5)
        (0.9999, 0.99995)
    """
    ordered = np.sort(probabilities)[::-1]
    means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    is_last_of_equals = np.append(ordered[1:] < ordered[:-1], True)[: len(ordered)]
    fit = np.flatnonzero((means >= precision) & (ordered >= 0.5) & is_last_of_equals)
    if not len(fit):
        return Threshold(1.0, 1.0, 0.0)
    last = int(fit[-1])
    total = float(ordered.sum())
    return Threshold(
        float(ordered[last]), float(means[last]), float(ordered[: last + 1].sum() / total)
    )
