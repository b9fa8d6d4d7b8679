"""The wall clock, read here and nowhere else in the package.

Providers refuse signatures whose moment is not theirs, whatever moment a turn is run for; tests
hand another clock in.
"""

import time
from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Give the moment it is.

    Returns:
        The moment, aware UTC.

    Example:
        >>> wall_clock().tzinfo
        datetime.timezone.utc
    """
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)
