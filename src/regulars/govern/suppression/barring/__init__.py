"""Barring: messages whose address nothing may go to are not handed over."""
