"""Journeys as people make them: begun from a template, tried before anybody comes in."""
