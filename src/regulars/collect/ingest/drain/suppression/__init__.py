"""Suppression of events: who was erased stays erased, also when an old event comes late."""
