"""Pacing: how much of a period's money may go out today, so that it lasts and is used."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.errors import InputError
from regulars.numerics.given import number_given

_NEAR = 0.05


@dataclass(frozen=True)
class Pace:
    """Where a period stands.

    Attributes:
        due: What should have been spent by now.
        spent: What was.
        today: What may be spent today.
        left: What is left of the period.
        says: ahead, behind or on_track: within 5 % of the period's money.
    """

    due: float
    spent: float
    today: float
    left: float
    says: str


def pace(
    planned: float, spent: float, *, day: int, days: int, weights: Sequence[float] = ()
) -> Pace:
    """Say what may be spent today.

    What is left is shared over the days that are left, by their weights: what went out too fast is
    saved over all of them, not on the last one.

    Args:
        planned: Money of the period.
        spent: What was spent before today.
        day: Days of the period that are over, from 0.
        days: Days of the period.
        weights: How much each day counts, such as more on Saturdays; shape (days,); all alike
            by default.

    Returns:
        The pace; nothing is allowed once the money is used up or the period over.

    Raises:
        InputError: The day is not in the period, the weights are not one per day, or a sum is
            negative or no number.

    Example:
        >>> pace(700.0, 450.0, day=4, days=7).today.__round__(2)
        83.33
    """
    for name, number in (("planned", planned), ("spent", spent)):
        number_given(number, name, least=0, below=float("inf"))
    each = list(weights) or [1.0] * days
    if not 0 <= day <= days or days < 1:
        raise InputError(f"day {day} of {days} is not in the period; count from 0")
    if len(each) != days or min(each) < 0 or not sum(each) > 0:
        raise InputError(f"{len(each)} weights for {days} days; give one per day, none negative")
    due = planned * sum(each[:day]) / sum(each)
    left = max(planned - spent, 0.0)
    ahead = sum(each[day:])
    today = left * each[day] / ahead if day < days and ahead > 0 else 0.0
    off = (spent - due) / planned if planned > 0 else 0.0
    says = "ahead" if off > _NEAR else "behind" if off < -_NEAR else "on_track"
    return Pace(due, spent, min(today, left), left, says)
