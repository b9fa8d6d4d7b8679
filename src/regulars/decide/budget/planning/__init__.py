"""Planning: money over segments, channels and offers, and what is worth finding out next."""

from regulars.decide.budget.planning.guards import Guards, Limits, limits_of_table
from regulars.decide.budget.planning.next_test import InformationValue, next_tests
from regulars.decide.budget.planning.pacing import Pace, pace
from regulars.decide.budget.planning.plan import Plan, PlannedCell, plan_budget
from regulars.decide.budget.planning.water_filling import fill

__all__ = [
    "Guards",
    "Limits",
    "Pace",
    "Plan",
    "PlannedCell",
    "InformationValue",
    "fill",
    "limits_of_table",
    "next_tests",
    "pace",
    "plan_budget",
]
