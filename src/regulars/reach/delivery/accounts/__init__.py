"""Accounts: what became of everybody, read from the ledger."""
