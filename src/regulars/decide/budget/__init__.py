"""Budget: whom to contact with what, so that the money buys the most."""

from regulars.decide.budget.allocate import Allocation, allocate
from regulars.decide.budget.assigning import Assigned, assign, assign_table

__all__ = ["Allocation", "Assigned", "allocate", "assign", "assign_table"]
