"""Budget: whom to contact with what, so that the money buys the most."""

from regulars.decide.budget.allocate import Allocation, allocate
from regulars.decide.budget.assigning import Assigned, assign, assign_table
from regulars.decide.budget.curves import Cell, Curve, fit_curves, points_of
from regulars.decide.budget.planning import Guards, Limits, Plan, next_tests, pace, plan_budget

__all__ = [
    "Allocation",
    "Assigned",
    "Cell",
    "Curve",
    "Guards",
    "Limits",
    "Plan",
    "allocate",
    "assign",
    "assign_table",
    "fit_curves",
    "next_tests",
    "pace",
    "plan_budget",
    "points_of",
]
