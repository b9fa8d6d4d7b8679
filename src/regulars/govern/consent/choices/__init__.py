"""Choices: what a customer gets now and may change himself, on the preference page."""
