"""Review: what each turn planned, did, found and changed; and what has been learned so far."""
