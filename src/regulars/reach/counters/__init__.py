"""Counters: which contacts count against caps and quotas, and what is left of offers."""
