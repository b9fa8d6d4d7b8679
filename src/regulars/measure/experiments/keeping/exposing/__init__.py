"""Giving variants while customers wait: which experiments run, and a log of who got what."""
