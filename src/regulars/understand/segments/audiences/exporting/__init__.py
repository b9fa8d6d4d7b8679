"""Audiences handed out as rows: contact data covered, or clear for those who may, and on record."""
