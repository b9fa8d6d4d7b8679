"""One turn of the loop: its number, its day, its moment and its seed."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Turn:
    """What every step of one turn is told.

    Attributes:
        number: 1 for the first turn of a workspace, then up by one.
        as_of: Last day whose facts the turn may read (in the workspace's zone).
        now: The moment contacts are dispatched at, aware UTC; never the wall clock.
        seed: Root of every random draw of the turn.
    """

    number: int
    as_of: date
    now: datetime
    seed: int
