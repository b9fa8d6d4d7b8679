"""Champions: which recipe of each model serves, since when, and who promoted it.

A recipe is a way to make a model; the champion is fitted anew each turn.
"""

from regulars.understand.champions.family import DEFAULTS, NAMES, Family
from regulars.understand.champions.verdict import Standing, Trial, Verdict

__all__ = ["DEFAULTS", "NAMES", "Family", "Standing", "Trial", "Verdict"]
