"""Fakes and conformance suites for the ports."""
