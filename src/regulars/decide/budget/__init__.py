"""Budget: whom to contact with what, so that the money buys the most."""

from regulars.decide.budget.allocate import Allocation, allocate
from regulars.decide.budget.assigning import Assigned, AssignedRows, assign, assign_table
from regulars.decide.budget.curves import Cell, Curve, Points, fit_curves, points_of
from regulars.decide.budget.planning import (
    Guards,
    InformationValue,
    Limits,
    Pace,
    Plan,
    PlannedCell,
    limits_of_table,
    next_tests,
    pace,
    plan_budget,
)

__all__ = [
    "Allocation",
    "Assigned",
    "AssignedRows",
    "Cell",
    "Curve",
    "Guards",
    "InformationValue",
    "Limits",
    "Pace",
    "Plan",
    "PlannedCell",
    "Points",
    "allocate",
    "assign",
    "assign_table",
    "fit_curves",
    "limits_of_table",
    "next_tests",
    "pace",
    "plan_budget",
    "points_of",
]
