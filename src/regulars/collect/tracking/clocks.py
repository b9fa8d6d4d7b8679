"""Moments as clients write them: ISO text, seconds, milliseconds; out comes UTC."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SECONDS = 253402300799


def moment(value: Any, zone: tzinfo | None = None) -> datetime | None:
    """Read a moment.

    Args:
        value: ISO 8601 text, or a number: seconds or milliseconds since 1970.
        zone: Zone of text without one; UTC when None.

    Returns:
        Aware UTC; None when it is no moment.

    Example:
        >>> moment("2026-01-02T03:04:05+08:00").isoformat()
        '2026-01-01T19:04:05+00:00'
        >>> moment(1767225600000) == moment("2026-01-01T00:00:00Z")
        True
        >>> moment("yesterday") is None
        True
    """
    if isinstance(value, str):
        text = value.strip()
        if text.isdigit():
            return _of_number(int(text))
        try:
            read = datetime.fromisoformat(text)
            aware = read if read.tzinfo else read.replace(tzinfo=zone or UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _of_number(value)


def _of_number(value: float) -> datetime | None:
    # Seconds stay below this until the year 5138; milliseconds pass it in 1973.
    seconds = value / 1000 if abs(value) >= 100_000_000_000 else value
    if not abs(seconds) <= _MOST_SECONDS:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


def written(value: datetime | None) -> str | None:
    """Write a moment as ISO text in UTC with milliseconds, as Segment clients do.

    Returns:
        The text; None for None.

    Example:
        >>> written(moment(1767225600123))
        '2026-01-01T00:00:00.123Z'
    """
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
