"""Campaigns: one message to one audience, as data; approved, then sent phase by phase."""
