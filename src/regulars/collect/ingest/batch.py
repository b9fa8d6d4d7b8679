"""A batch of stored events, and who follows batches: once each, in order."""

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class EventBatch:
    """The stored events of one batch of one partition of the log.

    Attributes:
        partition: Partition of the log.
        sequence: Number of the batch in its partition: 1, 2, 3...; none is left out, so a batch
            that stored nothing has no rows.
        rows: Rows of the table `events` (records/events.py), in the order of the log; direct
            identifiers are tokens.
    """

    partition: int
    sequence: int
    rows: pa.Table


class Follower(Protocol):
    """Something fed by the batches of stored events: identity, profiles, retail facts.

    A follower keeps one position per partition and moves it in the same transaction as what it
    writes. So a batch that is handed over again, after a crash, changes nothing.
    """

    @property
    def name(self) -> str:
        """What it is called in reports and in its position."""

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""

    def follow(self, batch: EventBatch, /) -> None:
        """Take in one batch and move the position to it, in one transaction.

        A batch whose sequence is not above the position changes nothing.
        """
