"""Pairs of records: which are compared, how alike they are, how probably they are one customer."""
