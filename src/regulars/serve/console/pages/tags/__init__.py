"""Pages about tags: those there are, and one as it is written."""
