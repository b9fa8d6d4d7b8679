"""Write decided batches to the tables of events; a commit is named by the last batch in it."""

from collections.abc import Sequence

import pyarrow as pa

from regulars.collect.ingest.drain.deciding import Decided
from regulars.ports.lake import Lake

KEEP_HOURS = 1
SMALL_COMMITS, SMALL_FILE_MB = 32, 8
LARGE_COMMITS, LARGE_FILE_MB = 768, 64
# Receipts come last: every batch has some, so where they stand is where all tables stand.
_TABLES = ("refused_events", "events", "receipts")


def application(partition: int) -> str:
    """Name the writer of one partition, as commits carry it.

    Returns:
        The name.

    Example:
        >>> application(1)
        'drain:p1'
    """
    return f"drain:p{partition}"


class EventTables:
    """The tables `events`, `refused_events` and `receipts`.

    Args:
        lake: Where they are.
    """

    def __init__(self, lake: Lake) -> None:
        """Count the files there are."""
        self._lake = lake
        self._since_small = {table: len(lake.files(table)) for table in _TABLES}
        self._since_large = dict(self._since_small)

    def position(self, partition: int) -> int:
        """Give the last batch of a partition all tables have; 0 before the first."""
        return self._lake.committed(_TABLES[-1], application(partition)) or 0

    def write(self, partition: int, batches: Sequence[Decided]) -> None:
        """Append batches, each table in one commit; rows it has already are left out.

        Args:
            partition: Partition of the batches.
            batches: Batches in order, none left out.

        Raises:
            OutsideError: A table cannot be written; the same call is safe to repeat.
        """
        by_table = {
            "refused_events": [batch.refused for batch in batches],
            "events": [batch.events for batch in batches],
            "receipts": [batch.receipts for batch in batches],
        }
        name = application(partition)
        last = batches[-1].fates.sequence
        for table in _TABLES:
            rows = pa.concat_tables(by_table[table])
            if not rows.num_rows and table != _TABLES[-1]:
                continue
            done = self._lake.committed(table, name) or 0
            if done >= batches[0].fates.sequence:
                # Written before a crash, joined differently.
                kept = [part for part, b in zip(by_table[table], batches, strict=True)
                        if b.fates.sequence > done]  # fmt: skip
                rows = pa.concat_tables(kept) if kept else rows.slice(0, 0)
            ordered = rows.select(self._lake.schema(table).names)
            ordered = ordered.cast(self._lake.schema(table))
            self._lake.append(table, ordered, application=name, version=last)
            self._since_small[table] += 1
            self._since_large[table] += 1

    def sync(self) -> None:
        """Return once everything written is on disk; only then is the log needed no more."""
        for table in _TABLES:
            self._lake.sync(table)

    def tidy(self, *, is_busy: bool) -> None:
        """Join small files once there are many: small ones often, larger ones seldom.

        What is joined often must be small, or the same rows would be written over and over.

        Args:
            is_busy: True while more events wait: then only once there are very many.

        Raises:
            Transient: Somebody was in the way; the rows are as they were.
        """
        for table in _TABLES:
            if self._since_large[table] >= LARGE_COMMITS:
                size = LARGE_FILE_MB
                self._since_large[table] = self._since_small[table] = 0
            elif self._since_small[table] >= SMALL_COMMITS and not is_busy:
                size = SMALL_FILE_MB
                self._since_small[table] = 0
            else:
                continue
            self._lake.tidy(table, file_mb=size, keep_hours=KEEP_HOURS)
