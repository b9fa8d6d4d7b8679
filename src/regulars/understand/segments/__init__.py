"""Segments: groups of customers a marketer can name."""
