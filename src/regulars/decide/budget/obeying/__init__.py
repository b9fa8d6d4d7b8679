"""Obeying: whether turns keep to the plan of the money, and the limits people set in it."""
