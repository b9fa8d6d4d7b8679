"""When a customer goes on from a wait or a window, on the clock where she is."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from regulars.reach.journeys.definition.nodes import Wait, Window

LATE_MS = 3_600_000
"""A step taken later than this after it was due counts from now: an outage shifts the plan."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_MS = 60_000


def ms_of(moment: datetime) -> int:
    """Give a moment as whole milliseconds since 1970 UTC, as journeys keep it.

    Returns:
        Milliseconds, rounded down.

    Example:
        >>> ms_of(datetime(2026, 3, 1, tzinfo=UTC))
        1772323200000
    """
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_of(ms: int) -> datetime:
    """Give a moment kept as milliseconds since 1970.

    Returns:
        The moment, aware UTC.

    Example:
        >>> moment_of(1772323200000).isoformat()
        '2026-03-01T00:00:00+00:00'
    """
    return _EPOCH + timedelta(milliseconds=ms)


def taken_at(due: int, now: int) -> int:
    """Say at which moment a step counts as taken.

    A look that comes a little late does not shift what follows; after an outage it does, so that
    messages meant for different days do not follow one another at once.

    Args:
        due: When it was due, milliseconds.
        now: The moment of the look, milliseconds.

    Returns:
        When it was due; now where that is more than an hour ago.

    Example:
        >>> taken_at(1_000, 3_000), taken_at(1_000, 4_000_000)
        (1000, 4000000)
    """
    return due if now - due <= LATE_MS else now


def after_wait(does: Wait, at: int, zone: str) -> int:
    """Say when a wait ends.

    Args:
        does: The wait.
        at: When it began, milliseconds.
        zone: IANA zone of the customer.

    Returns:
        Milliseconds: after its length, and where it names a time of day the first such moment
        later than that.

    Example:
        >>> begin = ms_of(datetime(2026, 3, 2, 0, 0, tzinfo=UTC))  # Monday 08:00 in Shanghai
        >>> moment_of(after_wait(Wait(0, 18 * 60, (4,)), begin, "Asia/Shanghai")).isoformat()
        '2026-03-06T10:00:00+00:00'
    """
    begin = at + does.seconds * 1000
    if does.until_minute is None:
        return begin
    return next_time(begin, does.until_minute, does.weekdays, zone)


def next_time(after: int, minute: int, weekdays: Sequence[int], zone: str) -> int:
    """Give the first moment later than another at which it is a time of day somewhere.

    Args:
        after: Milliseconds.
        minute: Minute of the local day.
        weekdays: Days of the week, 0 for Monday; empty for any.
        zone: IANA zone.

    Returns:
        Milliseconds. A time of day that the clocks leave out falls as much later as they jump.
    """
    first, clock = _local(after, zone).date(), time(minute // 60, minute % 60, tzinfo=_zone(zone))
    days = (first + timedelta(days=ahead) for ahead in range(9))
    found = (
        ms_of(datetime.combine(day, clock).astimezone(UTC))
        for day in days
        if not weekdays or day.weekday() in weekdays
    )
    return next(one for one in found if one > after)


def opens_at(does: Window, at: int, zone: str) -> int:
    """Say when somebody who comes to a window may go on.

    Args:
        does: The window.
        at: When she comes, milliseconds.
        zone: IANA zone of the customer.

    Returns:
        `at` itself while it is open; the moment it opens next otherwise.

    Example:
        >>> at = ms_of(datetime(2026, 3, 2, 14, 0, tzinfo=UTC))  # 22:00 in Shanghai
        >>> moment_of(opens_at(Window(540, 1260), at, "Asia/Shanghai")).isoformat()
        '2026-03-03T01:00:00+00:00'
    """
    local = _local(at, zone)
    minute = local.hour * 60 + local.minute
    spans = does.to_minute < does.from_minute
    day = local.weekday()
    if spans and minute < does.to_minute:
        is_in, day = True, (day - 1) % 7  # the night belongs to the day it began on
    elif spans:
        is_in = minute >= does.from_minute
    else:
        is_in = does.from_minute <= minute < does.to_minute
    if is_in and (not does.weekdays or day in does.weekdays):
        return at
    return next_time(at, does.from_minute, does.weekdays, zone)


@lru_cache(maxsize=1024)
def _zone(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


def _local(ms: int, zone: str) -> datetime:
    return moment_of(ms).astimezone(_zone(zone))
