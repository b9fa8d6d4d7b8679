"""Channels: one folder per way a contact takes, each a thin client of a documented protocol.

`catalogue.py` lists them by the name `via` has in the settings; `plumbing/` holds what those over
HTTP share. Every client may point at another host, so that a test server can play the provider.
"""
