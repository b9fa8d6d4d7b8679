"""Response curves: what money in one segment, channel and offer brings, from what was measured."""

from regulars.decide.budget.curves.curve import Cell, Curve
from regulars.decide.budget.curves.fit import fit_curves
from regulars.decide.budget.curves.points import Points, points_of

__all__ = ["Cell", "Curve", "Points", "fit_curves", "points_of"]
