"""Adjust: what was measured changes the next turn, reversibly and on record."""
