"""Baselines: other policies in the same twin, with the same luck, budget and rules."""
