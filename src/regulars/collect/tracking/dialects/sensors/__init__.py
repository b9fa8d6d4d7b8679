"""Sensors (神策): events packed into forms and addresses, without ids of their own."""

from regulars.collect.tracking.dialects.sensors.reading import DIALECT, parse
from regulars.collect.tracking.dialects.sensors.shaping import normalise

__all__ = ["DIALECT", "normalise", "parse"]
