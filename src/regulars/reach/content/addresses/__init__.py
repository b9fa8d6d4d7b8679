"""Addresses: where a customer is reached on each channel."""
