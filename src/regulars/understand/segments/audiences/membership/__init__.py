"""Membership of audiences over time: who entered and who left, and when it was seen."""
