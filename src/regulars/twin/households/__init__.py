"""Households: what the real ones do, counted once, and the moments a twin of them must match."""

from regulars.twin.households.counting import (
    CATEGORIES_EACH,
    DEPARTMENTS,
    Households,
    read_households,
)
from regulars.twin.households.moments import Habits, moments

__all__ = [
    "CATEGORIES_EACH",
    "DEPARTMENTS",
    "Habits",
    "Households",
    "moments",
    "read_households",
]
