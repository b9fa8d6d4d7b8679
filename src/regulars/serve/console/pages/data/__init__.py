"""Pages about data: sources, events, the tracking plan, the quarantine."""
