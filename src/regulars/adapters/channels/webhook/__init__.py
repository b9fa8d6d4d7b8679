"""Webhooks: contacts posted to a system of the retailer's own, signed."""
