"""Pages about what the loop changed by itself, and what people may change back."""
