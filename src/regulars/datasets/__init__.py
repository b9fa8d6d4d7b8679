"""Loaders of open data that PyPI packages ship."""
