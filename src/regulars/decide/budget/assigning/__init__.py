"""Who gets what when money, stock and channels are short at once: one price for each."""

from regulars.decide.budget.assigning.assign import Assigned, assign
from regulars.decide.budget.assigning.table import AssignedRows, assign_table

__all__ = ["Assigned", "AssignedRows", "assign", "assign_table"]
