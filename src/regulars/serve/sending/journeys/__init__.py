"""Journeys in a workspace: what they ask and do, how they are published and taken on."""
