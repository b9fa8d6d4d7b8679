"""Confirming: a grant asked for on a form that holds only once its address answered."""
