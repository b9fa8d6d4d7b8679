"""Policies on their way: a challenger watches, serves a few customers, then all, or goes back."""
