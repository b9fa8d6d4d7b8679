"""Models of when customers order and what they spend: one published model a file."""
