"""Local days and hours of a zone, as arithmetic every engine does the same way."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from ibis.expr.types import IntegerValue, TimestampValue, Value

_YEARS = 20


def local_seconds(at: "TimestampValue", zone: str, *, until: date) -> "IntegerValue":
    """Give the seconds a local clock has counted since 1970-01-01 00:00.

    Args:
        at: Moments, aware UTC.
        zone: IANA zone.
        until: A day no moment of interest lies after; clock changes of the 20 years before it
            are known, earlier moments take the earliest offset.

    Returns:
        Whole seconds; `// 86_400` is the local day number, `% 86_400 // 3_600` the hour.
    """
    import ibis  # noqa: PLC0415 - large, needed for the batch only

    changes = clock_changes(zone, until=until)
    offset: Value = ibis.literal(changes[-1][1], type="int64")
    if len(changes) > 1:
        branches = [
            (at >= ibis.literal(moment), ibis.literal(seconds, type="int64"))
            for moment, seconds in changes[:-1]
        ]
        offset = ibis.cases(*branches, else_=offset)
    return at.epoch_seconds().cast("int64") + offset


def clock_changes(zone: str, *, until: date) -> list[tuple[datetime, int]]:
    """Give the offsets of a zone, the newest first.

    Args:
        zone: IANA zone.
        until: Look at the 20 years before the day after this one.

    Returns:
        Pairs of the moment an offset began to hold and its seconds east of UTC.

    Example:
        >>> [seconds for _, seconds in clock_changes("Asia/Shanghai", until=date(2026, 1, 1))]
        [28800]
        >>> first, *_ = clock_changes("America/New_York", until=date(2017, 10, 1))
        >>> first[0].isoformat(), first[1]
        ('2017-03-12T07:00:00+00:00', -14400)
    """
    local = ZoneInfo(zone)
    newest = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=2)
    oldest = newest - timedelta(days=_YEARS * 366)
    changes = [(oldest, _offset(oldest, local))]
    day = oldest
    while day < newest:
        following = day + timedelta(days=7)
        if _offset(following, local) != changes[-1][1]:
            moment = _first_second(day, following, local)
            changes.append((moment, _offset(moment, local)))
        day = following
    return [change for change in reversed(changes) if change[0] <= newest]


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _first_second(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find the first second at which the offset of `after` holds."""
    old = _offset(before, zone)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)
