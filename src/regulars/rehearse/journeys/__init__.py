"""Journeys rehearsed: every template lives in the twin, its effect measured and known."""
