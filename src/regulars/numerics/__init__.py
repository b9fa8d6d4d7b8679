"""Mathematics used by two stations or more."""
