"""The first page: what the loop did, and what waits for a person."""
