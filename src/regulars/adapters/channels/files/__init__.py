"""Contacts as lists people carry out: calls, letters, screens; CSV and XLSX."""
