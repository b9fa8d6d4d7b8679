"""Reading kept experiments: how large they must be, what they say, what follows from it."""
