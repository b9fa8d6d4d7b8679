"""When each contact of a phase may go out at the earliest: a rate becomes moments."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from regulars.numerics.hashing import keys_of, uniforms


def earliest_moments(
    customers: Sequence[str], *, begin: datetime, per_minute: int, salt: str
) -> list[datetime]:
    """Spread contacts evenly, in an order drawn by hash.

    Args:
        customers: Who is to be contacted, each once.
        begin: First moment, aware.
        per_minute: Most contacts a minute; 0 for no limit.
        salt: What the order is drawn for: the campaign.

    Returns:
        One moment per customer, whole seconds after `begin`.

    Source:
        Ours, because a rate kept by the moment of each contact is kept by every process at
        once and survives a crash.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> found = earliest_moments(["a", "b", "c"], begin=noon, per_minute=60, salt="tea")
        >>> [(one - noon).seconds for one in sorted(found)]
        [0, 1, 2]
    """
    if not per_minute:
        return [begin] * len(customers)
    drawn = uniforms(keys_of(list(customers)), "pace", salt)
    found = [begin] * len(customers)
    for place, number in enumerate(drawn.argsort(kind="stable")):
        found[int(number)] = begin + timedelta(seconds=place * 60 // per_minute)
    return found


def shifted(moment: str, *, by: timedelta, now: datetime) -> datetime:
    """Move a moment that was held back by as long as it was held.

    Args:
        moment: When it was due, ISO 8601.
        by: How long it was held.
        now: The moment it is let go, aware.

    Returns:
        The new moment, never before now.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> shifted(noon.isoformat(), by=timedelta(hours=1), now=noon).hour
        13
    """
    return max(datetime.fromisoformat(moment) + by, now)
