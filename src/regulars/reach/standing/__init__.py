"""Standing: what the state store knows about whom may be contacted, for deciding."""

from regulars.reach.standing.service import Standing, contactable

__all__ = ["Standing", "contactable"]
