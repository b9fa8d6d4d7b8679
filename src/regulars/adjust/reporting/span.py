"""The weeks and months a report is about."""

import re
from datetime import date, timedelta

from regulars.errors import InputError
from regulars.measure.scorecard import Period

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def span_of(text: str) -> Period:
    """Read a week or a month.

    Args:
        text: An ISO week such as 2026-W10, Monday to Sunday, or a month such as 2026-03.

    Returns:
        Its days.

    Raises:
        InputError: It is neither.

    Example:
        >>> found = span_of("2026-W10")
        >>> found.first.isoformat(), found.last.isoformat()
        ('2026-03-02', '2026-03-08')
        >>> span_of("2026-02").last.isoformat()
        '2026-02-28'
    """
    try:
        if week := _WEEK.fullmatch(text):
            first = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return Period(first, first + timedelta(days=6))
        if month := _MONTH.fullmatch(text):
            first = date(int(month[1]), int(month[2]), 1)
            after = (first + timedelta(days=31)).replace(day=1)
            return Period(first, after - timedelta(days=1))
    except ValueError as error:
        raise InputError(f"{text} is no week or month: {error}") from error
    raise InputError(f"{text!r} is no week or month; give a week as 2026-W10 or a month as 2026-03")


def last_week(day: date) -> str:
    """Name the newest week that was over at the end of a day.

    Args:
        day: The day.

    Returns:
        Its ISO name.

    Example:
        >>> last_week(date(2026, 3, 7)), last_week(date(2026, 3, 8))
        ('2026-W09', '2026-W10')
    """
    sunday = day if day.isoweekday() == 7 else day - timedelta(days=day.isoweekday())
    year, week, _day = sunday.isocalendar()
    return f"{year}-W{week:02d}"
