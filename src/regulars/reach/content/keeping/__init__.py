"""Keeping: contents in the state, version by version, and as files."""
