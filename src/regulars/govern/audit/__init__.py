"""Audit: who did what, in a log that shows when somebody changed it."""

from regulars.govern.audit.anchors import Anchor
from regulars.govern.audit.chain import Entry, Fault

__all__ = ["Anchor", "Entry", "Fault"]
