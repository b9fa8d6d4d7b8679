"""Decisions made within a transaction: kept with what they belong to, told to the lake by batch."""
