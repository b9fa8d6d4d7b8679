"""Requests carried out: what is shown, what is erased, and the proof of either."""
