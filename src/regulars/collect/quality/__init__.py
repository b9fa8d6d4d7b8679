"""Data quality: what was agreed to be sent, what came, and how far to trust each source."""
