"""Rows that are kept encrypted: whose they are shows once they are opened."""
