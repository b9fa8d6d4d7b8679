"""Assignment: who gets which variant, or none; decided by salted hash, the same at every asking."""

from regulars.decide.assignment.factor_grid import Combination, factor_grid
from regulars.decide.assignment.holdouts import held_out
from regulars.decide.assignment.switchback import switchback_schedule
from regulars.decide.assignment.variants import OUTSIDE, Experiment, assign, require_layers
from regulars.numerics.hashing import keys_of

__all__ = [
    "OUTSIDE",
    "Combination",
    "Experiment",
    "assign",
    "factor_grid",
    "held_out",
    "keys_of",
    "require_layers",
    "switchback_schedule",
]
