"""Clicks: what was asked for by signed addresses, and which of it was people."""
