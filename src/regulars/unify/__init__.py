"""Unify: what is known of one customer, in one row."""
