"""Whose points expire on a day."""
