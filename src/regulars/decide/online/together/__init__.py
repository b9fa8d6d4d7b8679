"""Decisions for many customers within one transaction."""
