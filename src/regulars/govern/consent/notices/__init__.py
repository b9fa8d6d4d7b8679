"""Notices: what customers were told before they consented, version by version."""

from regulars.govern.consent.notices.notice import Notice, read_notice

__all__ = ["Notice", "read_notice"]
