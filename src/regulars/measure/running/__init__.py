"""Running: every randomised comparison of a workspace, under way or over, and what it may say."""

from regulars.measure.running.service import (
    Arm,
    Came,
    Comparison,
    Found,
    caused,
    comparisons,
    promises,
)

__all__ = ["Arm", "Came", "Comparison", "Found", "caused", "comparisons", "promises"]
