"""Ingest: acknowledged events, from the log to the tables, each exactly once."""
