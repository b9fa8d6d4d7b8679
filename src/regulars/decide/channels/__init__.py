"""Channels: what each can do for whom (reach, engage, convert, cost), learned and overridable."""
