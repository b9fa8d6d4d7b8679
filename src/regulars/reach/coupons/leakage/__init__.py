"""Leakage: discounts that went where no rule wanted them, and those a holdout calls unneeded."""
