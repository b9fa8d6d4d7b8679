"""Autotune: measured outcomes change what the next turn believes and may spend."""
