"""Effects by cell: what money in one segment, channel and offer caused in one turn."""
