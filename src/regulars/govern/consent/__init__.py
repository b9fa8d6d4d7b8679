"""Consent: what a customer allows, for which purpose and on which channel."""

from regulars.govern.consent.rule import (
    EVERY_CHANNEL,
    MARKETING,
    PROFILING,
    Status,
    newest_status,
    statuses,
)

__all__ = [
    "EVERY_CHANNEL",
    "MARKETING",
    "PROFILING",
    "Status",
    "newest_status",
    "statuses",
]
