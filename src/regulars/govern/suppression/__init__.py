"""Suppression: standing bars to contact, whatever the consent; by customer or by address token."""

from regulars.govern.suppression.reasons import Bar, SuppressionReason

__all__ = ["Bar", "SuppressionReason"]
