"""What answers of channels mean for the rows they are about."""
