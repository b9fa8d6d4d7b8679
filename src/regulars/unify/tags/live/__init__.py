"""Tags looked at now: how many a definition would reach, who they are, what one customer has."""
