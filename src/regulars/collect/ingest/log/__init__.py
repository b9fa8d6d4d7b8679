"""The log of events: framed segments per partition; what is acknowledged is in it, on disk."""
