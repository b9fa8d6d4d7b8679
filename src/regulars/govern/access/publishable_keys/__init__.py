"""Publishable keys: what a page of a shop may hold in the open."""
