"""Anomalies: traffic no customer made, marked on arrival and by how its actors behave."""

from regulars.collect.anomalies.arrival import Networks, agents_in_payloads, marks_on_arrival

__all__ = ["Networks", "agents_in_payloads", "marks_on_arrival"]
