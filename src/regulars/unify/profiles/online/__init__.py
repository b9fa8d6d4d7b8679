"""Profiles online: what events add up to per node and day, and the profile read from it."""
