"""Rows of the ledger as rules and channels see them."""
