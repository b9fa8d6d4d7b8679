"""What the store of profiles keeps of one customer: shown, deleted."""
