"""A batch of stored events, and who follows batches: once each, in order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import pyarrow as pa

Read = TypeVar("Read")


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
    _read: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, name: tuple[str, ...], read: Callable[[pa.Table], Read]) -> Read:
        """Read something from the rows that several followers need, only once for all of them.

        Args:
            name: What it is called: the reader, and whatever else it depends on.
            read: Reads it; nobody changes what it gives.

        Returns:
            What was read, by whoever asked first.

        Example:
            >>> batch = EventBatch(0, 1, pa.table({"type": ["track", "page"]}))
            >>> batch.once(("rows",), len), batch.once(("rows",), lambda rows: 0)
            (2, 2)
        """
        if name not in self._read:
            self._read[name] = read(self.rows)
        found: Read = self._read[name]
        return found


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
