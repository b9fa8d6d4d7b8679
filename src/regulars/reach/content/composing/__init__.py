"""Composing: windows of contacts become messages, each with its own links."""
