"""Loyalty: a double-entry ledger of points, and the programme whose rules give and take them."""
