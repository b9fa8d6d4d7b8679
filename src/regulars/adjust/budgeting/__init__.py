"""Budgeting: each turn plans its money anew from what was measured, within what people said."""
