"""Templating: Liquid that reads only what it was given, ends soon, and leaves no hole."""
