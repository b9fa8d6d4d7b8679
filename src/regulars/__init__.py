"""Regulars: a closed-loop marketing system for retailers."""
