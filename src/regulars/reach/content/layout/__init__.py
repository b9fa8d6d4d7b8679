"""Layout: pages are compiled and checked once, before any customer's values are put in."""
