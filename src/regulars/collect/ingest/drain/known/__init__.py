"""Known events: the fingerprints of everything stored, on disk and in memory."""
