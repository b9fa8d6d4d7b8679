"""Judging audiences: what they rest on is opened, then they are counted, shown and compared."""
