"""Customers inside a journey hear of events."""
