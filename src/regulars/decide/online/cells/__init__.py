"""Cells of the budget: what a turn leaves of each, and which a customer is in."""
