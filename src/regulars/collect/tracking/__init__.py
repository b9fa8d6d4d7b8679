"""Tracking: the wires of published clients, read into events of one form."""

from regulars.collect.tracking.parsed import Answer, BadEvent, Parsed, Refused
from regulars.collect.tracking.routes import PARSERS, normalise, parse

__all__ = ["PARSERS", "Answer", "BadEvent", "Parsed", "Refused", "normalise", "parse"]
