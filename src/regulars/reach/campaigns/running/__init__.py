"""A campaign under way: its audience taken once, its phases enrolled one after the other."""
