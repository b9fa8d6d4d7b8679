"""The weeks, months, quarters and years a report is about."""

import re
from datetime import date, timedelta

from regulars.errors import InputError
from regulars.measure.scorecard import Period

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTHS = re.compile(r"(\d{4})(?:-(\d{2})|-Q([1-4]))?")


def span_of(text: str) -> Period:
    """Read a week, a month, a quarter or a year.

    Args:
        text: An ISO week such as 2026-W10, Monday to Sunday, a month such as 2026-03, a quarter
            such as 2026-Q1, or a year such as 2026.

    Returns:
        Its days.

    Raises:
        InputError: It is none of them.

    Example:
        >>> found = span_of("2026-W10")
        >>> found.first.isoformat(), found.last.isoformat()
        ('2026-03-02', '2026-03-08')
        >>> [span_of(text).last.isoformat() for text in ("2026-02", "2026-Q2", "2026")]
        ['2026-02-28', '2026-06-30', '2026-12-31']
    """
    week, months = _WEEK.fullmatch(text), _MONTHS.fullmatch(text)
    try:
        if week:
            first = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return Period(first, first + timedelta(days=6))
        if months:
            return _months(int(months[1]), months[2], months[3])
    except ValueError as error:
        raise InputError(f"{text} is no week, month, quarter or year: {error}") from error
    raise InputError(
        f"{text!r} is no week, month, quarter or year; give a week as 2026-W10, a month as "
        "2026-03, a quarter as 2026-Q1 or a year as 2026"
    )


def _months(year: int, month: str | None, quarter: str | None) -> Period:
    """Give the days of a month, of a quarter, or of the year where neither is named."""
    begins = 3 * int(quarter) - 2 if quarter else int(month or 1)
    first = date(year, begins, 1)
    last_month = begins + (0 if month else 2 if quarter else 11)
    after = (first.replace(month=last_month) + timedelta(days=31)).replace(day=1)
    return Period(first, after - timedelta(days=1))


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
