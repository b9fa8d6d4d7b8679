"""On which days an entry by date or schedule lets customers in, and whose day it is."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from regulars.numerics.hashing import key_of
from regulars.reach.journeys.definition.journey import Entry, EntryKind

LATE_DAYS = {EntryKind.DATE: 7, EntryKind.SCHEDULE: 1}
"""Days after which an occasion nobody looked at is let go."""


def occasions_of(
    entry: Entry, *, since: datetime, now: datetime, zone: str
) -> Iterator[tuple[date, datetime]]:
    """Give the days on which an entry lets customers in, up to now.

    Args:
        entry: An entry by date or schedule.
        since: First moment that counts, aware: when the journey was first published.
        now: The moment, aware.
        zone: IANA zone of the workspace.

    Yields:
        Day and moment, the earliest first; those too long ago are left out.

    Example:
        >>> entry = Entry(EntryKind.SCHEDULE, "n", minute=600, weekdays=(0,))
        >>> begin = datetime(2026, 3, 1, tzinfo=UTC)
        >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
        >>> [day.isoformat() for day, _ in occasions_of(entry, since=begin, now=noon, zone="UTC")]
        ['2026-03-02']
    """
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    clock = time(entry.minute // 60, entry.minute % 60, tzinfo=there)
    for ago in range(LATE_DAYS[entry.kind], -1, -1):
        day = today - timedelta(days=ago)
        moment = datetime.combine(day, clock).astimezone(UTC)
        fits = not entry.weekdays or day.weekday() in entry.weekdays
        fits = fits and entry.month_day in {0, day.day}
        if fits and since <= moment <= now:
            yield day, moment


def month_days_on(day: date, days: int) -> list[str]:
    """Give the birthdays an entry is about on one day.

    Args:
        day: The day of the occasion.
        days: Days of it from the birthday; below 0 for before.

    Returns:
        Month and day as MM-DD. Who was born on 29 February has her day on 28 February in other
        years.

    Example:
        >>> month_days_on(date(2026, 2, 21), -7)
        ['02-28', '02-29']
    """
    birthday = day - timedelta(days=days)
    found = [f"{birthday:%m-%d}"]
    is_last = birthday.month == 2 and (birthday + timedelta(days=1)).month == 3
    if is_last and birthday.day == 28:
        found.append("02-29")
    return found


def number_of(entry: Entry) -> int:
    """Name an entry by what it says, so that its place in the file makes no difference.

    Returns:
        A whole number from 0 to 2**62.
    """
    audience = entry.audience
    who = (audience.kind, audience.name, sorted(audience.rule.items())) if audience else ()
    says = (entry.kind, entry.field, entry.days, entry.minute, entry.weekdays, entry.month_day)
    return key_of(*says, *map(str, who)) >> 2
