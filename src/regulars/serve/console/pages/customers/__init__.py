"""Pages about customers: lists, one of them, who they are."""
