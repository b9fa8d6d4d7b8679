"""Journeys in the state: kept version by version, published, taken back, paused, stopped."""
