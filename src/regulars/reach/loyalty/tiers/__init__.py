"""Tiers: levels of members, reached at once, reviewed on a day, kept or lost then."""
