"""The window of the frequency cap: which local days count against a contact now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def cap_window(now: datetime, *, zone: str, cap_days: int) -> tuple[str, str]:
    """Name the day a contact counts on, and the day after which contacts count against it.

    The window rolls: a contact on the last minute of one day and one on the first minute of
    the next count together, unlike a cap per calendar day.

    Args:
        now: Moment of the contact, aware.
        zone: IANA zone that decides what a day is.
        cap_days: Length of the window in days, today included; 1 or more.

    Returns:
        Today and the last day outside the window, both as ISO dates.

    Source:
        Ours, because calendar-day caps allow two contacts within a minute around midnight.

    Example:
        >>> from datetime import UTC
        >>> cap_window(datetime(2026, 3, 1, 20, tzinfo=UTC), zone="Asia/Shanghai", cap_days=7)
        ('2026-03-02', '2026-02-23')
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    return today.isoformat(), (today - timedelta(days=cap_days)).isoformat()
