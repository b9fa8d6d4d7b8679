"""The drain of one partition: its log, its fates, the ids it knows, what it owes the tables."""

import fcntl
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from regulars.collect.ingest.batch import EventBatch
from regulars.collect.ingest.drain.deciding import Decided, Gates, Place, decide, decided_again
from regulars.collect.ingest.drain.fates import (
    Fates,
    commit_fates,
    fates_folder,
    read_fates,
    sequences_in,
)
from regulars.collect.ingest.drain.following.service import Feeder
from regulars.collect.ingest.drain.known.fingerprints import Fingerprints, marks_of
from regulars.collect.ingest.drain.known.packing import PACK_AT, forget, load_known, pack, tidy
from regulars.collect.ingest.drain.lag import backlog
from regulars.collect.ingest.drain.ledger.service import position, take_in
from regulars.collect.ingest.drain.reading.batch_rows import Rules, read_batch
from regulars.collect.ingest.drain.replay.service import Sealing, frames_of, requested
from regulars.collect.ingest.drain.tables.service import EventTables
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import Frame
from regulars.collect.ingest.log.reader import (
    Position,
    after_ended,
    delete_before,
    partition_folder,
    read_stretch,
    segments_in,
)
from regulars.errors import NotReady

if TYPE_CHECKING:
    from regulars.ports.lake import Lake
    from regulars.ports.state import State

LOG_FOLDER = "log"
LOCK_FILE = "drain.lock"
MOST_PENDING_BYTES = 48 << 20


@dataclass(frozen=True)
class Outside:
    """What the drain of a workspace writes to.

    Attributes:
        folder: The workspace folder; log and fates are in it.
        lake: Where the tables of events are.
        state: Ledger, replays, suppressed ids.
        disk: How fates touch the disk.
    """

    folder: Path
    lake: "Lake"
    state: "State"
    disk: Disk = field(default_factory=Disk)


@dataclass(frozen=True)
class Inside:
    """What events pass on their way.

    Attributes:
        rules: How events are read.
        gates: What protects them.
        sealing: How refused events are opened and closed.
        dedup_days: Days with events for which ids are known.
    """

    rules: Rules
    gates: Gates
    sealing: Sealing
    dedup_days: int = 90


class PartitionDrain:
    """The drain of one partition; no other process drains it meanwhile.

    Args:
        outside: What it writes to.
        inside: What events pass.
        partition: Partition of the log.
        tables: The tables of events.
        feeder: Whom to offer batches.
    """

    def __init__(
        self, outside: Outside, inside: Inside, partition: int, tables: EventTables, feeder: Feeder
    ) -> None:
        """Lock the partition, find what is committed, and apply what was left unapplied.

        Raises:
            NotReady: Another process drains this partition.
            OutsideError: Fates, tables or ledger cannot be read or written.
        """
        self.partition = partition
        self._outside, self._inside = outside, inside
        self._tables, self._feeder = tables, feeder
        self._fates = fates_folder(outside.folder, partition)
        self._log = partition_folder(outside.folder / LOG_FOLDER, partition)
        self._fates.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock(self._fates)
        try:
            tidy(self._fates)
            self._known = load_known(self._fates)
            self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self) -> None:
        sequences = sequences_in(self._fates)
        last = read_fates(self._fates, sequences[-1]) if sequences else None
        self.sequence = last.sequence if last else 0
        self.position = last.end if last else Position()
        self.applied = min(
            self._tables.position(self.partition), position(self._outside.state, self.partition)
        )
        self._pending: deque[Decided] = deque()
        self._writing: tuple[list[Decided], Future[bool]] | None = None
        self._pending_bytes = 0
        self._pending_since = 0.0
        self._feeder.written(self.partition, self.applied)
        for sequence in range(self.applied + 1, self.sequence + 1):
            self._hold(self._again(read_fates(self._fates, sequence)))
            if self._pending_bytes >= MOST_PENDING_BYTES:
                self.apply()
        self.apply()

    def close(self) -> None:
        """Let another process drain the partition; what was not applied is applied by it."""
        os.close(self._lock)

    @property
    def backlog(self) -> int:
        """Bytes of the log nobody decided on yet."""
        return backlog(self._outside.folder / LOG_FOLDER, self.partition, self.position)

    @property
    def oldest(self) -> int | None:
        """When the oldest event that tables lack was received, microseconds; None without one."""
        waiting = [*(self._writing[0] if self._writing else ()), *self._pending]
        return waiting[0].received_at if waiting else None

    def is_due(self, seconds: float) -> bool:
        """Whether decided batches have waited this long for the tables, or are many."""
        if not self._pending:
            return False
        waited = monotonic() - self._pending_since
        return self._pending_bytes >= MOST_PENDING_BYTES or waited >= seconds

    def advance(self, most_bytes: int) -> Decided | None:
        """Decide the next batch and commit its fates.

        Args:
            most_bytes: About how much log to take.

        Returns:
            The batch; None when nothing waits.
        """
        stretch = read_stretch(self._log, self.position, most_bytes=most_bytes)
        if stretch.frames:
            return self._decide(stretch.frames, self.position, stretch.end, ())
        if not self._pending and self._writing is None:
            # Events in clear stay no longer than they are needed.
            ended = after_ended(self._log, self.position)
            delete_before(self._log, ended, first=self._tables.sync)
        return None

    def replay(self) -> Decided | None:
        """Decide again what was asked for, and write it; None when nothing was."""
        ids = requested(self._outside.state, self.partition)
        if not ids:
            return None
        decided = self._decide(self._replayed(ids), self.position, self.position, ids)
        # At once: until the ledger has it, it still counts as asked for.
        self.apply()
        return decided

    def apply(self) -> None:
        """Write decided batches to the tables and the ledger, and clear away what is done with."""
        self.settle(wait=True)
        if self._pending:
            batches = self._take_pending()
            self._finish(batches, is_synced=self._write(batches))

    def begin(self, threads: Executor) -> None:
        """Begin to write decided batches, while the next ones are decided.

        Args:
            threads: Who writes, one thing at a time.
        """
        self.settle(wait=self._pending_bytes >= MOST_PENDING_BYTES)
        if self._pending and self._writing is None:
            batches = self._take_pending()
            self._writing = batches, threads.submit(self._write, batches)

    def settle(self, *, wait: bool) -> None:
        """Finish what was begun.

        Args:
            wait: True to wait for it; else nothing happens while it is being written.

        Raises:
            OutsideError: It could not be written; open the partition again.
        """
        if self._writing is None or not (wait or self._writing[1].done()):
            return
        batches, written = self._writing
        self._writing = None
        self._finish(batches, is_synced=written.result())

    def _take_pending(self) -> list[Decided]:
        batches = list(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        return batches

    def _write(self, batches: list[Decided]) -> bool:
        """Write batches; True when they are also on disk, so that their log may go."""
        self._tables.write(self.partition, batches)
        take_in(self._outside.state, self.partition, batches)
        end = batches[-1].fates.end
        oldest = segments_in(self._log)[:1]
        may_go = bool(oldest) and oldest[0] < end.segment
        if may_go or len(sequences_in(self._fates)) > PACK_AT:
            # Tables are written without waiting for the disk: log and fates go only after it.
            self._tables.sync()
            return True
        return False

    def _finish(self, batches: list[Decided], *, is_synced: bool) -> None:
        """Know that batches are written, and clear away what nobody needs any more."""
        self.applied = batches[-1].fates.sequence
        self._feeder.written(self.partition, self.applied)
        if not is_synced:
            return
        delete_before(self._log, batches[-1].fates.end)
        # The newest stays: where the log goes on stands in it.
        if pack(self._fates, upto=self.applied - 1, disk=self._outside.disk):
            self._forget()

    def _forget(self) -> None:
        """Forget ids older than the number of days with events that the settings keep."""
        if forget(self._fates, days=self._inside.dedup_days):
            # The old set goes first, so that memory never holds both.
            self._known = Fingerprints()
            self._known = load_known(self._fates)

    def _decide(
        self, frames: list[Frame], start: Position, end: Position, replayed: Sequence[str]
    ) -> Decided:
        place = Place(self.partition, self.sequence + 1, start, end, replayed)
        batch = read_batch(frames, self._inside.rules)
        decided = decide(batch, place, self._known.contains, self._inside.gates)
        commit_fates(self._fates, decided.fates, self._outside.disk)
        # Only what is committed is known: a batch that failed is decided anew.
        self._known.add(marks_of(decided.fates.stored))
        self.sequence, self.position = place.sequence, end
        self._hold(decided)
        return decided

    def _again(self, fates: Fates) -> Decided:
        """Work out a committed batch once more, from the log and its fates."""
        if fates.replayed:
            frames = self._replayed(fates.replayed)
        else:
            frames = read_stretch(self._log, fates.start, end=fates.end).frames
        return decided_again(read_batch(frames, self._inside.rules), fates, self._inside.gates)

    def _replayed(self, ids: Sequence[str]) -> list[Frame]:
        outside = self._outside
        return frames_of(outside.lake, outside.state, self._inside.sealing.unseal, ids)

    def _hold(self, decided: Decided) -> None:
        if not self._pending:
            self._pending_since = monotonic()
        self._pending.append(decided)
        self._pending_bytes += decided.size
        fates = decided.fates
        self._feeder.offer(EventBatch(fates.partition, fates.sequence, decided.events))


def _lock(folder: Path) -> int:
    """Take the right to drain a partition; it ends with the process."""
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise NotReady(
            f"another process drains {folder}; it stores what comes, so there is nothing to do"
        ) from error
    return handle
