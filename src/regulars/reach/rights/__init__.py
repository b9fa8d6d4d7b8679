"""What is kept of one customer, table by table: shown, and erased."""
