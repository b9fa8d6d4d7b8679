"""The tracking plan: which events a retailer agreed to send, and what each must hold."""

from regulars.collect.quality.plan.checking import PlanChecks, Violation
from regulars.collect.quality.plan.coverage import Coverage, coverage
from regulars.collect.quality.plan.differences import Difference, differences
from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule, label
from regulars.collect.quality.plan.observed import EventSeen, Observed
from regulars.collect.quality.plan.reading import read_plan, starting_plan
from regulars.collect.quality.plan.suggesting import suggested_plan

__all__ = [
    "Coverage",
    "Difference",
    "EventRule",
    "EventSeen",
    "Observed",
    "Plan",
    "PlanChecks",
    "PropertyRule",
    "Violation",
    "coverage",
    "differences",
    "label",
    "read_plan",
    "starting_plan",
    "suggested_plan",
]
