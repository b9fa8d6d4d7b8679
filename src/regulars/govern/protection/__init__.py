"""Protection: direct identifiers become tokens; clear values are kept encrypted, shown by role."""

from regulars.govern.protection.declared import Kind
from regulars.govern.protection.tokens import mask, normalise

__all__ = ["Kind", "mask", "normalise"]
