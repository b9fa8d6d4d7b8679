"""Audiences looked at now: how many, who, and how many of them are in others too."""
