"""Days as whole numbers, so that engines and arrays count them the same way."""

from datetime import date, timedelta

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


def day_of(number: int) -> date:
    """Give the day with a number: `day_number` the other way round.

    Args:
        number: Days since 1970-01-01.

    Returns:
        The day.

    Example:
        >>> day_of(31).isoformat()
        '1970-02-01'
    """
    return EPOCH + timedelta(days=number)
