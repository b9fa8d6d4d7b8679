"""Following: whoever takes in batches of stored events gets each once, in order."""
