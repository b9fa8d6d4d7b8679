"""Decide: the best offer and channel for each customer within the budget, or silence."""
