"""Collect: files and events become typed facts, and nothing is lost on the way."""
