"""The tables of events: batches joined into few commits, each row once."""
