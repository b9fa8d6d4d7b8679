"""The shelf of contents: found by facet, reviewed or not, and which interest has none."""
