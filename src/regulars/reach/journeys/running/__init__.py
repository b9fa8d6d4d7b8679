"""The executor: whoever is due goes on, in windows, each one transaction."""
