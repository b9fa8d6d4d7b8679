"""Refusals in the reader's language: what an error says, found again among known sentences."""
