"""Content: what messages say, as data, rendered for one customer at a time."""
