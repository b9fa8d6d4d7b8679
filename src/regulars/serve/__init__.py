"""Serve: command line, HTTP and console."""
