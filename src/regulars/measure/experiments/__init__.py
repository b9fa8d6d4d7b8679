"""Experiments: is the split sound enough to be read at all."""

from regulars.measure.experiments.sample_ratio import SampleRatio, check_sample_ratio

__all__ = ["SampleRatio", "check_sample_ratio"]
