"""The twelve indicators of customer value: what is bought, who is brought in, what is felt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError

Numbers = NDArray[np.float64]

INDICATORS = {
    "recency_days": "days since the last order; fewer is better",
    "orders": "orders in the last year",
    "spend": "money spent in the last year",
    "margin": "margin of the last year",
    "p_alive": "probability of still being a customer",
    "residual_value": "margin still expected",
    "category_spread": "spread of spend over categories, in bits",
    "full_price_share": "share of spend at full price",
    "return_share": "share of goods sent back; less is better",
    "engagement": "visits and answers in the last 30 days",
    "referral_value": "social: residual value of customers brought in",
    "sentiment": "emotional: tone of what was written, -1 to 1",
}
"""Each indicator and its meaning; the order of the table."""

_LESS_IS_BETTER = frozenset({"recency_days", "return_share"})


@dataclass(frozen=True)
class ValueIndicators:
    """Twelve indicators per customer.

    Attributes:
        values: As given, shape (customers, 12); nan where unknown.
        ranks: Share of the known customers at or below, 0 to 1, higher is better; nan where
            unknown; shape (customers, 12).
        score: Mean rank over what is known of the customer, 0 to 100; nan when nothing is.
        known: Indicators known of each customer, shape (customers,).
        missing: Indicators nobody has, such as sentiment where no text is kept.
    """

    values: Numbers
    ranks: Numbers
    score: Numbers
    known: NDArray[np.int64]
    missing: tuple[str, ...]

    def to_frame(self) -> Any:
        """Give one row per customer as a pandas frame: the indicators, score and known."""
        import pandas as pd  # noqa: PLC0415 (slow import)

        frame = pd.DataFrame(self.values, columns=list(INDICATORS))
        return frame.assign(score=self.score, known=self.known)


def value_indicators(columns: Mapping[str, ArrayLike]) -> ValueIndicators:
    """Put the twelve indicators of customers together.

    Args:
        columns: Some or all of `INDICATORS`, each of shape (customers,); nan where unknown. What
            is left out is unknown for everybody, and named in `missing`: nothing is made up.

    Returns:
        The indicators with ranks and a score.

    Raises:
        InputError: A name is not an indicator, lengths differ, or nothing is given.

    Source:
        Kumar & Reinartz (2016), "Creating Enduring Customer Value", Journal of Marketing 80(6), for
        purchases, referrals and influence; equal weights are ours, because any others would need
        an outcome to be learned from.

    Example:
        >>> found = value_indicators({"spend": [10.0, 30.0], "recency_days": [5.0, 40.0]})
        >>> found.score.tolist(), len(found.missing)
        ([75.0, 75.0], 10)
    """
    unknown = [name for name in columns if name not in INDICATORS]
    if unknown or not columns:
        raise InputError(
            f"not indicators: {', '.join(unknown) or 'nothing given'}; give some of "
            f"{', '.join(INDICATORS)}"
        )
    given = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    sizes = {column.shape for column in given.values()}
    if len(sizes) != 1 or len(next(iter(sizes))) != 1:
        raise InputError(f"columns have shapes {sorted(sizes)}; give one number per customer each")
    empty = np.full(next(iter(sizes)), np.nan)
    values = np.stack([given.get(name, empty) for name in INDICATORS], axis=1)
    better = np.where([name in _LESS_IS_BETTER for name in INDICATORS], -values, values)
    ranks = np.stack([_shares_at_or_below(column) for column in better.T], axis=1)
    known = np.isfinite(values).sum(axis=1)
    total = np.nansum(ranks, axis=1)
    score = np.where(known > 0, 100 * total / np.maximum(known, 1), np.nan)
    missing = tuple(
        name
        for name, column in zip(INDICATORS, values.T, strict=True)
        if not np.isfinite(column).any()
    )
    return ValueIndicators(values, ranks, score, known, missing)


def referral_value(
    customers: ArrayLike, referrers: ArrayLike, referred: ArrayLike, values: ArrayLike
) -> Numbers:
    """Add up the value of the customers each one brought in.

    Args:
        customers: Ids, shape (customers,).
        referrers: Id of who brought somebody in, shape (referrals,).
        referred: Id of who was brought in, the same shape.
        values: Residual value of each of `customers`.

    Returns:
        Money, shape (customers,); 0 for who brought in nobody. Somebody brought in twice counts
        for the first who did; nobody counts for himself.

    Raises:
        InputError: There is not one value per different customer.

    Source:
        Kumar, Petersen & Leone (2007), "How Valuable Is Word of Mouth?", Harvard Business Review
        85(10); the value is not shared out further up the chain, ours.

    Example:
        >>> referral_value(["a", "b", "c"], ["a", "a"], ["b", "c"], [1.0, 20, 30]).tolist()
        [50.0, 0.0, 0.0]
    """
    place = {name: at for at, name in enumerate(np.asarray(customers).tolist())}
    worth = np.asarray(values, dtype=np.float64)
    if worth.shape != (len(place),):
        raise InputError(
            f"values have shape {worth.shape} for {len(place)} different customers; give one each"
        )
    found, seen = np.zeros(len(place)), set()
    pairs = zip(np.asarray(referrers).tolist(), np.asarray(referred).tolist(), strict=True)
    for one, other in pairs:
        if one in place and other in place and other not in seen and one != other:
            found[place[one]] += worth[place[other]]
            seen.add(other)
    return found


def _shares_at_or_below(column: Numbers) -> Numbers:
    known = np.isfinite(column)
    found = np.full(column.shape, np.nan)
    level = np.sort(column[known])
    found[known] = np.searchsorted(level, column[known], side="right") / max(level.size, 1)
    return found
