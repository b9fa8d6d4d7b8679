"""Audiences: a list, a tag, a segment or a rule becomes customers, each once."""
