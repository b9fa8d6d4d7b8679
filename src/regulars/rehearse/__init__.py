"""Rehearse: what-if and baselines; the only place that holds both the twin and the loop."""
