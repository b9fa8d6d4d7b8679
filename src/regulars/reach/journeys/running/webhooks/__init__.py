"""Webhooks of journeys: kept with the step, called after it, until somebody answers."""
