"""Journeys ready to use: packaged as data, fitted to a workspace, checked for what they need."""
