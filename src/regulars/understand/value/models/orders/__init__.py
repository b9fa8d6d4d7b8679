"""Models of when customers order: one published model to a file."""
