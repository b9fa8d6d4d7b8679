"""Ticking: passes made beside the server, by a process of its own."""
