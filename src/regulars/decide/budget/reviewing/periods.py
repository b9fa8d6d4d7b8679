"""Periods a budget is reviewed by: months, quarters and years."""

from collections.abc import Iterable
from datetime import date

from regulars.errors import InputError

KINDS = ("monthly", "quarterly", "annual")


def period_of(kind: str, day: date) -> str:
    """Name the period a day lies in.

    Args:
        kind: monthly, quarterly or annual.
        day: The day, where the retailer is.

    Returns:
        The name, such as 2026-11, 2026-Q4 or 2026.

    Raises:
        InputError: There is no such kind.

    Example:
        >>> [period_of(kind, date(2026, 11, 30)) for kind in KINDS]
        ['2026-11', '2026-Q4', '2026']
    """
    if kind == "monthly":
        return f"{day:%Y-%m}"
    if kind == "quarterly":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    if kind == "annual":
        return str(day.year)
    raise InputError(f"{kind} is no kind of review; known: {', '.join(KINDS)}")


def due(done: Iterable[tuple[str, str]], day: date) -> list[tuple[str, str]]:
    """Say which reviews of today's periods have not been made.

    Args:
        done: Kind and period of the reviews there are.
        day: Today, where the retailer is.

    Returns:
        Kind and period of each that is due, the shortest period first.

    Example:
        >>> due([("monthly", "2026-11"), ("annual", "2026")], date(2026, 11, 30))
        [('quarterly', '2026-Q4')]
    """
    made = set(done)
    wanted = [(kind, period_of(kind, day)) for kind in KINDS]
    return [one for one in wanted if one not in made]
