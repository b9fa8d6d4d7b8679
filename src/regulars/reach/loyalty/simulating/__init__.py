"""What other rules would have given for past orders."""
