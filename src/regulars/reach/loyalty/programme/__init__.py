"""The programme: how points are earned, live and are spent, as data."""

from regulars.reach.loyalty.programme.definition import Programme
from regulars.reach.loyalty.programme.reading import read_programme

__all__ = ["Programme", "read_programme"]
