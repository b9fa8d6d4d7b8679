"""Effects: what did the contacts of a turn, and the programme as a whole, cause."""

from regulars.measure.effects.adjusted_difference import Difference, adjusted_difference
from regulars.measure.effects.confidence_sequence import sequence_radius
from regulars.measure.effects.minimum_detectable import minimum_detectable
from regulars.measure.effects.over_turns import PooledEffect, pooled_over_turns
from regulars.measure.effects.permutation_interval import permutation_quantiles
from regulars.measure.effects.readout import METRICS, Readout, read_out

__all__ = [
    "METRICS",
    "Difference",
    "PooledEffect",
    "Readout",
    "adjusted_difference",
    "minimum_detectable",
    "permutation_quantiles",
    "pooled_over_turns",
    "read_out",
    "sequence_radius",
]
