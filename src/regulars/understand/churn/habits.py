"""What an order history says about churn, as of any day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.understand.value.history import History, weekly

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

HISTORY_WEEKS = 52
AT_RISK_WEEKS = 26
_PRIOR_GAPS = 2.0


@dataclass(frozen=True)
class Look:
    """What was known of every customer at the end of a day.

    Attributes:
        as_of: Day number.
        features: Shape (customers, features); 0 without an order.
        names: Names of the features.
        silence_weeks: Weeks since the last order, shape (customers,).
        at_risk: True for who ordered within the last 26 weeks, and so may still churn.
        known: True for who has an order.
    """

    as_of: int
    features: Numbers
    names: tuple[str, ...]
    silence_weeks: Numbers
    at_risk: Flags
    known: Flags


def look(history: History, *, as_of: int) -> Look:
    """Read the features of every customer as of a day.

    Args:
        history: The history; days after `as_of` are not read.
        as_of: Day number.

    Returns:
        The features: silence, in weeks and in gaps of the customer's own rhythm; orders and
        spend of the last 4, 13, 26 and 52 weeks; how long the customer is
        known; how much the last 13 weeks are above the 13 before.
    """
    seen = history.until(as_of)
    count = np.bincount(seen.customer, minlength=seen.customers).astype(np.float64)
    first, last = np.full(seen.customers, as_of), np.full(seen.customers, seen.first_day)
    np.minimum.at(first, seen.customer, seen.day)
    np.maximum.at(last, seen.customer, seen.day)
    known = count > 0
    silence = np.where(known, (as_of - last) / 7, 0.0)
    age = np.where(known, (as_of - first) / 7, 0.0)
    span = np.where(known, (last - first) / 7, 0.0)
    again = count > 1
    typical = float(np.median(span[again] / (count[again] - 1))) if again.any() else 4.0
    gap = (span + _PRIOR_GAPS * typical) / (np.maximum(count - 1, 0) + _PRIOR_GAPS)
    columns = {
        "silence": np.log1p(silence),
        "silence_in_gaps": np.log1p(silence / np.maximum(gap, 1 / 7)),
        "gap": np.log(np.maximum(gap, 1 / 7)),
        "known": np.log1p(age),
    } | _sums(seen, as_of)
    features = np.where(known[:, None], np.stack(list(columns.values()), axis=1), 0.0)
    at_risk = known & (silence <= AT_RISK_WEEKS)
    return Look(as_of, features, tuple(columns), silence, at_risk, known)


def _sums(seen: History, as_of: int) -> dict[str, Numbers]:
    orders = weekly(seen, np.ones(len(seen.day)), as_of=as_of, weeks=HISTORY_WEEKS)
    money = np.maximum(weekly(seen, seen.paid, as_of=as_of, weeks=HISTORY_WEEKS), 0.0)
    found = {}
    for weeks in (4, 13, 26, HISTORY_WEEKS):
        found[f"orders_{weeks}w"] = np.log1p(orders[:, :weeks].sum(axis=1))
        found[f"spend_{weeks}w"] = np.log1p(money[:, :weeks].sum(axis=1))
    recent, before = orders[:, :13].sum(axis=1), orders[:, 13:26].sum(axis=1)
    found["trend"] = np.log((recent + 1) / (before + 1))
    return found


def churned_after(history: History, *, as_of: int, horizon_weeks: int) -> Flags:
    """Tell who ordered nothing in the weeks after a day.

    Args:
        history: The history, reaching to the end of these weeks.
        as_of: Day number.
        horizon_weeks: Weeks after it.

    Returns:
        True for who did not order, shape (customers,).
    """
    inside = (history.day > as_of) & (history.day <= as_of + 7 * horizon_weeks)
    return np.asarray(np.bincount(history.customer[inside], minlength=history.customers) == 0)
