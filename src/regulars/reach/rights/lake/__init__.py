"""What the lake keeps of one customer: shown, erased."""
