"""Budget: whom to contact with what, so that the money buys the most."""

from regulars.decide.budget.allocate import Allocation, allocate

__all__ = ["Allocation", "allocate"]
