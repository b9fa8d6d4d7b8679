"""Badges: got once, when a rule first holds for a customer."""
