"""Versions of journeys with the numbers their nodes and events are kept by."""
