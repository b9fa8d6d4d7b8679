"""A journey in numbers, for people who watch it."""
