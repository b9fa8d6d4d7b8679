"""Known: whether anybody has a customer id."""
