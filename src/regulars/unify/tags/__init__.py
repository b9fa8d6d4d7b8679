"""Tags: named groups of customers, defined as data by whoever needs them."""
