"""Requests of customers about their own data: asked, previewed, decided, answered."""
