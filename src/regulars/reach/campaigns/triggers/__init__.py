"""Triggers: one customer of a transactional campaign, the moment something happened."""
