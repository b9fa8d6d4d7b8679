"""Days as whole numbers, so that engines and arrays count them the same way."""

from datetime import date

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Count the days since 1970-01-01.

    Args:
        day: Any day.

    Returns:
        The number, negative before that day.

    Example:
        >>> day_number(date(1970, 2, 1))
        31
    """
    return (day - EPOCH).days
