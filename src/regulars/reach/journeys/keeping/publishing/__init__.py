"""Publish a version while customers are inside, and take it back."""
