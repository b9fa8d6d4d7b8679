"""Dealing: running experiments give customers their variants, and who got which is put down."""
