"""Reasons an actor is no customer, each by a limit anybody can check."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.numerics.arrays import numbers

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RATE = "rate"
REPLAY = "replay"
REGULAR = "regular"
GEOGRAPHY = "geography"
FARM = "farm"
OUTLIER = "outlier"
ARRIVAL = "arrival"


@dataclass(frozen=True)
class Limits:
    """What no customer does.

    Attributes:
        per_second: Events in any one second; a page with many parts sends a dozen at once.
        per_minute: Events in any one minute.
        replayed: Events that came before with the same content and moment under another id...
        replayed_share: ...as a share of the actor's events, 0 to 1.
        regular_gaps: Gaps between events that must be known...
        regular_spread: ...before a spread below this share of their mean is that of a timer.
        jumps: Moves of more than 300 km at more than 1,000 km/h.
        farm_share: Share of the ids behind one address or machine that do the same thing.
        farm_length: Events of that same thing, from which taking equally long for it tells;
            for shorter ones the ids must start at equal distances. Visitors of a store who
            open the same coupon over its Wi-Fi do neither.
        farm_spread: Spread of those times as a share of their mean.
        outlier: Score of the isolation forest, 0 to 1.
    """

    per_second: int = 25
    per_minute: int = 240
    replayed: int = 10
    replayed_share: float = 0.2
    regular_gaps: int = 100
    regular_spread: float = 0.1
    jumps: int = 2
    farm_share: float = 0.6
    farm_length: int = 4
    farm_spread: float = 0.35
    outlier: float = 0.62


def spread_of_gaps(features: pa.Table) -> Floats:
    """Spread of the gaps between events over their mean.

    Args:
        features: Rows of `tables.actor_features`.

    Returns:
        The coefficient of variation per actor: 0 for a clock, about 1 for events at random,
        more for people; nan below two gaps.

    Example:
        >>> rows = pa.table({"gaps": [4, 4], "gap_ms": [400, 400], "gap_ms2": [40000, 100000]})
        >>> [round(float(v), 3) for v in spread_of_gaps(rows)]
        [0.0, 1.225]
    """
    return _spread(*(numbers(features, name) for name in ("gaps", "gap_ms", "gap_ms2")))


def _spread(count: Floats, total: Floats, squares: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0.0)
        return np.where((count >= 2) & (mean > 0), np.sqrt(variance) / mean, np.nan)


def broken_limits(features: pa.Table, limits: Limits) -> dict[str, Flags]:
    """Say which actors break which limit.

    Args:
        features: Rows of `tables.actor_features`.
        limits: The limits.

    Returns:
        A flag per actor by reason: rate, replay, regular, geography.
    """
    events, replayed = numbers(features, "events"), numbers(features, "replayed")
    spread = spread_of_gaps(features)
    fast = numbers(features, "per_second") > limits.per_second
    fast |= numbers(features, "per_minute") > limits.per_minute
    again = (replayed >= limits.replayed) & (replayed >= limits.replayed_share * events)
    timed = (numbers(features, "gaps") >= limits.regular_gaps) & (spread < limits.regular_spread)
    return {
        RATE: fast,
        REPLAY: again,
        REGULAR: timed,
        GEOGRAPHY: numbers(features, "jumps") >= limits.jumps,
    }


def is_farm(members: pa.Table, limits: Limits) -> Flags:
    """Say which members belong to a farm: too many ids of one host that do one thing.

    Args:
        members: Rows of `tables.farm_members`.
        limits: The limits.

    Returns:
        A flag per member.
    """
    ids, followers, length = (numbers(members, n) for n in ("members", "followers", "length"))
    took, apart = (
        _spread(followers - fewer, numbers(members, name), numbers(members, f"{name}2"))
        for name, fewer in (("took", 0), ("apart", 1))
    )
    alike = followers >= limits.farm_share * ids
    together = (length >= limits.farm_length) & (took < limits.farm_spread)
    return alike & (together | (apart < limits.farm_spread))
