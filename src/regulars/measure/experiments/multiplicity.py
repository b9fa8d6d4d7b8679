"""Multiplicity: many comparisons at once, and how many of their claims may be false."""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, word_given


class Correction(StrEnum):
    """What is kept below the level: the chance of any false claim, or the share of false ones."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    BENJAMINI_YEKUTIELI = "benjamini_yekutieli"


def adjusted(p_values: ArrayLike, correction: Correction | str) -> NDArray[np.float64]:
    """Adjust p-values so that each may be compared with the level as if it were alone.

    Args:
        p_values: P-values of all comparisons that were made, also the dull ones, in [0, 1];
            shape (comparisons,).
        correction: HOLM or BONFERRONI keep the chance of one false claim; BENJAMINI_HOCHBERG
            keeps the share of false claims among claims for independent or positively dependent
            comparisons, BENJAMINI_YEKUTIELI for any.

    Returns:
        Adjusted p-values in the given order, shape (comparisons,); empty for none.

    Raises:
        InputError: A p-value is not in [0, 1].
        UnknownName: There is no such correction.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6; Benjamini & Hochberg (1995), JRSS B
        57(1); Benjamini & Yekutieli (2001), Annals of Statistics 29(4).

    Example:
        >>> adjusted([0.01, 0.04, 0.03, 0.5], Correction.BENJAMINI_HOCHBERG).round(4).tolist()
        [0.04, 0.0533, 0.0533, 0.5]
        >>> adjusted([0.01, 0.04, 0.03, 0.5], Correction.HOLM).round(4).tolist()
        [0.04, 0.09, 0.09, 0.5]
    """
    given = floats_given(p_values, "p_values", may_lack=True)
    correction = word_given(correction, Correction, "correction")
    if given.size and not ((given >= 0) & (given <= 1)).all():
        raise InputError("a p-value is not in [0, 1]; leave out comparisons that have none")
    number = given.size
    if correction is Correction.BONFERRONI:
        return np.minimum(1.0, given * number)
    order = np.argsort(given, kind="stable")
    ranks = np.arange(1, number + 1)
    found = np.empty(number)
    if correction is Correction.HOLM:
        stepped = np.maximum.accumulate(given[order] * (number - ranks + 1))
    else:
        dependence = (1 / ranks).sum() if correction is Correction.BENJAMINI_YEKUTIELI else 1.0
        scaled = given[order] * number * dependence / ranks
        stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    found[order] = np.minimum(1.0, stepped)
    return found
