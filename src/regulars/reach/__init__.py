"""Reach: contacts with consent, once, each with one fate."""
