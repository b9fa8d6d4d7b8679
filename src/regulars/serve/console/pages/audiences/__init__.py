"""Pages about audiences: those there are, one as it is written, one over time."""
