"""Grants somebody notes by hand, each once."""
