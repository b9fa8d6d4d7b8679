"""Understand: what a customer is worth, and how he buys."""
