"""Redeeming: an order priced with codes, taken once, given back when the order comes back."""
