"""Standing: what the state store knows about whom may be contacted, for deciding."""

from regulars.reach.standing.service import (
    Standing,
    StandingNow,
    contactable,
    standing_now,
    standing_of,
)

__all__ = ["Standing", "StandingNow", "contactable", "standing_now", "standing_of"]
