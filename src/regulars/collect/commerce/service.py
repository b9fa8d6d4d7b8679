"""The follower that keeps retail facts: orders, lines, returns and visits from stored events."""

from contextlib import suppress
from typing import Any

import pyarrow as pa

from regulars.collect.commerce.facts import CommerceFacts, facts_of
from regulars.collect.ingest.batch import EventBatch
from regulars.errors import Transient
from regulars.ports.lake import Lake

COMMIT = "order_versions"
TABLES = ("presences", "order_version_lines", COMMIT)
TIDY_EVERY = 128
FILE_MB = 64
KEEP_HOURS = 24


class CommerceFollower:
    """Takes in batches of stored events and appends what they say about commerce.

    The table `order_versions` is written last, also without rows: its application version is
    the position. The other tables skip a batch they hold already, so that a batch handed over
    again after a crash changes nothing.

    Args:
        lake: Where the facts are kept.
        currency: Currency of the workspace.
        zone: IANA zone of the workspace, which decides what a day is.
    """

    name = "commerce"

    def __init__(self, lake: Lake, *, currency: str, zone: str) -> None:
        """Remember the workspace; nothing is opened yet."""
        self._lake, self._currency, self._zone = lake, currency, zone

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""
        return self._lake.committed(COMMIT, self._application(partition)) or 0

    def follow(self, batch: EventBatch, /) -> None:
        """Append what a batch says; a batch taken in before changes nothing."""
        if batch.sequence <= self.position(batch.partition):
            return
        found = facts_of(batch, currency=self._currency, zone=self._zone)
        application = self._application(batch.partition)
        for table, rows in self._rows(found, f"{application}:{batch.sequence}"):
            if rows or table == COMMIT:
                data = pa.Table.from_pylist(rows, schema=self._lake.schema(table))
                self._lake.append(table, data, application=application, version=batch.sequence)
        if batch.sequence % TIDY_EVERY == 0:
            for table in TABLES:
                with suppress(Transient):
                    self._lake.tidy(table, file_mb=FILE_MB, keep_hours=KEEP_HOURS)

    def _application(self, partition: int) -> str:
        return f"{self.name}:p{partition}"

    @staticmethod
    def _rows(found: CommerceFacts, import_id: str) -> list[tuple[str, list[dict[str, Any]]]]:
        held = [
            {"import_id": import_id, "row": number, **row}
            for number, row in enumerate(found.held_back, 1)
        ]
        return [
            ("presences", found.presences),
            ("order_version_lines", found.lines),
            ("quarantine", held),
            (COMMIT, found.versions),
        ]
