"""What files told before there were events, loaded into the store of profiles."""
