"""Lots read from the state: those that are due, the first ones of who spends, and more as asked."""
