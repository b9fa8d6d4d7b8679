"""Leakage: features that know what they are to predict."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import columns_given, flags_given, floats_given
from regulars.understand.churn.accuracy import auc

Numbers = NDArray[np.float64]

MOST_AUC = 0.97
"""Above this a single feature tells too well to be honest: silence alone reaches .6 to .9."""


def leaking_features(
    features: ArrayLike, churned: ArrayLike, *, names: Sequence[str] = (), most: float = MOST_AUC
) -> list[str]:
    """Find features that tell the outcome all by themselves.

    Args:
        features: Shape (customers, features); nan counts as a value of its own.
        churned: True where the customer churned.
        names: Names of the features; those of the columns, or numbers, when left out.
        most: Area under the curve above which a single feature is suspect, either way round.

    Returns:
        Names of the suspects, each with its area, in the order of the features; empty when none.

    Raises:
        InputError: Shapes or names do not fit.

    Source:
        Kaufman, Rosset, Perlich & Stitelman (2012), "Leakage in Data Mining", ACM TKDD 6(4).

    Example:
        >>> churned = np.arange(100) % 2
        >>> known = np.stack([np.arange(100) % 3, churned * 5.0], axis=1)
        >>> leaking_features(known, churned, names=["visits", "cancelled"])
        ['cancelled (1.000)']
    """
    table = floats_given(features, "features", axes=2, may_lack=True, may_be_infinite=True)
    truth = flags_given(churned, "churned").astype(np.float64)
    called = (
        list(names)
        or columns_given(features)
        or [f"feature {place}" for place in range(table.shape[-1])]
    )
    if len(table) != len(truth) or len(called) != table.shape[1]:
        raise InputError(
            f"features {table.shape}, churned {truth.shape} and {len(called)} names do not fit; "
            "give (customers, features), one outcome per customer and one name per feature"
        )
    found = []
    for place, name in enumerate(called):
        column = table[:, place]
        for seen in (
            np.nan_to_num(column, nan=np.nanmin(column, initial=0.0) - 1.0),
            np.isnan(column),
        ):
            area = auc(seen.astype(np.float64), truth)
            if max(area, 1 - area) > most:
                found.append(f"{name} ({max(area, 1 - area):.3f})")
                break
    return found


def looks_ahead(features_of: Callable[[int | None], Numbers], *, as_of: int) -> list[int]:
    """Find features that read days after the day they are of.

    Args:
        features_of: Gives the features as of the day, of shape (customers, features), from a
            history cut at the day it is given, or from the whole history when given None.
        as_of: The day.

    Returns:
        Columns that change when the days after `as_of` are taken away; empty for honest features.

    Example:
        >>> sold = np.array([1.0, 2.0, 4.0])  # by day
        >>> honest = lambda cut: np.array([[sold[:2].sum()]])
        >>> leaky = lambda cut: np.array([[sold[: None if cut is None else cut + 1].sum()]])
        >>> looks_ahead(honest, as_of=1), looks_ahead(leaky, as_of=1)
        ([], [0])
    """
    whole, cut = features_of(None), features_of(as_of)
    same = np.isclose(whole, cut, rtol=0, atol=0, equal_nan=True).all(axis=0)
    return [int(place) for place in np.flatnonzero(~same)]
