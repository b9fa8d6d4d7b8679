"""Replay: refused events are decided again after a fix, each at most once."""
