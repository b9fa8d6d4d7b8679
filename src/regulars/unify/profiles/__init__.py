"""Profiles: everything known of one customer as of a day, in one row."""
