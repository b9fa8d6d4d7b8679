"""Journeys ready to use, one file each."""
