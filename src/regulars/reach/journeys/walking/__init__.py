"""What the nodes of a journey do with a set of customers; no store is touched."""
