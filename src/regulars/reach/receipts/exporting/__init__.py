"""Exporting: outcomes of receipts become facts of the lake."""
