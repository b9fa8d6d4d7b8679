"""Experiments: is the split sound, what did the variant change, how sure are we.

Everything takes plain arrays, frames or an Ibis table; no workspace is needed. `read_out` reads
a whole experiment; the other functions are its parts, vectorised over any number of comparisons.
"""

from regulars.measure.experiments.gates.checks import Gate, Refusal
from regulars.measure.experiments.gates.sequential_sample_ratio import sequential_sample_ratio
from regulars.measure.experiments.inference.always_valid import read_any_time
from regulars.measure.experiments.inference.belief import Belief, believe, believe_shares
from regulars.measure.experiments.inference.cuped import adjustment, cuped_difference
from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.inference.estimate import Estimate, Reading, read_once
from regulars.measure.experiments.inference.group_sequential import (
    Spending,
    bounds,
    crossing_probability,
    read_at_look,
)
from regulars.measure.experiments.inference.quantile import quantile_difference
from regulars.measure.experiments.inference.ratio import ratio_difference
from regulars.measure.experiments.inference.stratified import stratified_difference
from regulars.measure.experiments.inference.switchback import switchback_effect
from regulars.measure.experiments.metrics import Kind, Metric
from regulars.measure.experiments.multiplicity import Correction, adjusted
from regulars.measure.experiments.power import (
    Sizing,
    customers_needed,
    days_needed,
    detectable,
    size_experiment,
)
from regulars.measure.experiments.readout import (
    Finding,
    Inference,
    Plan,
    Progress,
    Readout,
    read_out,
)
from regulars.measure.experiments.sample_ratio import SampleRatio, check_sample_ratio
from regulars.measure.experiments.sufficient_statistics import (
    Moments,
    moments,
    moments_of,
    pooled,
)
from regulars.measure.experiments.tables import as_moments, moments_by_variant

__all__ = [
    "Belief",
    "Correction",
    "Estimate",
    "Finding",
    "Gate",
    "Inference",
    "Kind",
    "Metric",
    "Moments",
    "Plan",
    "Progress",
    "Reading",
    "Readout",
    "Refusal",
    "SampleRatio",
    "Sizing",
    "Spending",
    "adjusted",
    "adjustment",
    "as_moments",
    "believe",
    "believe_shares",
    "bounds",
    "check_sample_ratio",
    "crossing_probability",
    "cuped_difference",
    "customers_needed",
    "days_needed",
    "detectable",
    "difference",
    "moments",
    "moments_by_variant",
    "moments_of",
    "pooled",
    "quantile_difference",
    "ratio_difference",
    "read_any_time",
    "read_at_look",
    "read_once",
    "read_out",
    "sequential_sample_ratio",
    "size_experiment",
    "stratified_difference",
    "switchback_effect",
]
