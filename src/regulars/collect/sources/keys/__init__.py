"""Keys: rows compared by fingerprint, with each other and with what the lake holds."""
