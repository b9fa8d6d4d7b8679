"""Matching: rows of any table that are one person get one customer id, and it stays."""
