"""Lookup: what a window of messages reads of customers and goods, a set at a time."""
