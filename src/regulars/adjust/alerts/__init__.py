"""Alerts: what changed for the worse, what is done by itself, and what waits for a person."""
