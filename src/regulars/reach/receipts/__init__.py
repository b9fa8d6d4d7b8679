"""Receipts: what providers report of contacts, taken in once each, whatever the order."""
