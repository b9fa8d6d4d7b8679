"""Proof: everything that shows what one customer consented to, and when."""
