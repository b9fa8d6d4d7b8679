"""Group commit: whatever waits is written at once, synced once, and only then acknowledged."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    publish_synced,
    segment_file,
)
from regulars.collect.ingest.log.recovery import (
    Lock,
    open_synced,
    recover_partition,
    shape_log,
)
from regulars.errors import NotReady

MOST_GROUP_BYTES = 8 << 20
REST_SECONDS = 5.0
"""Quiet after which a segment is ended, so that what it holds in clear can be deleted."""

# Whoever waits for a frame, and the frame.
Waiting = tuple[Any, bytes]
Settled = Callable[[list[Any], OSError | None], None]


class PartitionWriter:
    """Appends frames to one partition; used by one thread.

    Args:
        folder: The partition's folder.
        segment_bytes: Begin a new segment once one is this long.
        disk: How to touch the disk.
    """

    def __init__(self, folder: Path, *, segment_bytes: int, disk: Disk) -> None:
        """Recover the partition; the next frame begins a new segment."""
        self._folder, self._segment_bytes, self._disk = folder, segment_bytes, disk
        self._number = recover_partition(folder, disk).segment
        self._note = open_synced(folder)
        self._handle: int | None = None
        self._begun = Position(self._number)

    def commit(self, frames: Sequence[bytes]) -> None:
        """Write frames, sync them, and tell readers.

        Args:
            frames: Encoded frames.

        Raises:
            OSError: The disk would not; nothing of these frames is in the log.
        """
        try:
            self._begun = self._write(b"".join(frames))
        except BaseException:
            self._give_up()
            raise
        self._number += len(frames)
        if self._begun.offset >= self._segment_bytes:
            self._close()

    def rest(self) -> None:
        """End the segment and begin an empty one, so that the drain may delete the ended one."""
        if self._handle is None:
            return
        self._close()
        with suppress(OSError):
            self._handle = self._disk.create(segment_file(self._folder, self._number))
            self._disk.sync_folder(self._folder)
            self._begun = Position(self._number)

    @property
    def is_resting(self) -> bool:
        """Whether there is nothing in the segment it writes to."""
        return self._handle is None or not self._begun.offset

    def close(self) -> None:
        """Close the files; what was committed is on disk already."""
        self._close()
        os.close(self._note)

    def _write(self, data: bytes) -> Position:
        if self._handle is None:
            self._begun = Position(self._number)
            self._handle = self._disk.create(segment_file(self._folder, self._number))
            self._disk.sync_folder(self._folder)
        self._disk.write(self._handle, data)
        self._disk.sync(self._handle)
        end = Position(self._begun.segment, self._begun.offset + len(data))
        publish_synced(self._note, end)
        return end

    def _give_up(self) -> None:
        """Leave the segment at what was synced; a failed sync says nothing of what is on disk."""
        if self._handle is not None:
            with suppress(OSError):
                self._disk.cut(self._handle, self._begun.offset)
            self._close()

    def _close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with suppress(OSError):
                os.close(handle)


class LogWriter:
    """All partitions of a log, each written by a thread of its own.

    Args:
        log: The log's folder; made when missing.
        settled: Told, in a writing thread, who need wait no longer: the waiters of one group
            commit, and the error when it failed.
        partitions: Partitions of a new log.
        segment_bytes: Begin a new segment once one is this long.
        disk: How to touch the disk.
        rest_seconds: Quiet after which a segment is ended.
    """

    def __init__(
        self,
        log: Path,
        settled: Settled,
        *,
        partitions: int = 2,
        segment_bytes: int = 64 << 20,
        disk: Disk | None = None,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        """Lock and recover the log and start its threads.

        Raises:
            NotReady: Another process writes to it.
            OSError: The disk is full or read-only.
        """
        self.partitions = shape_log(log, partitions)
        self._settled, self._rest_seconds = settled, rest_seconds
        self._lock = Lock(log)
        try:
            self._writers = [
                PartitionWriter(
                    partition_folder(log, number), segment_bytes=segment_bytes, disk=disk or Disk()
                )
                for number in range(self.partitions)
            ]
        except BaseException:
            self._lock.release()
            raise
        self._queues: list[list[Waiting]] = [[] for _ in self._writers]
        self._bells = [threading.Condition() for _ in self._writers]
        self._is_closing = False
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"log-p{number}", daemon=True)
            for number in range(self.partitions)
        ]
        for thread in self._threads:
            thread.start()

    def append(self, frames: Iterable[tuple[int, bytes, Any]]) -> None:
        """Queue frames.

        Args:
            frames: Of each its partition, the encoded frame, and the waiter that is handed back
                to `settled` once the frame is on disk, or cannot be.

        Raises:
            NotReady: The writer is closing.
        """
        parts: dict[int, list[Waiting]] = {}
        for partition, frame, waiter in frames:
            parts.setdefault(partition, []).append((waiter, frame))
        for partition, waiting in parts.items():
            bell = self._bells[partition]
            with bell:
                if self._is_closing:
                    raise NotReady("the log is closing; send the request again")
                self._queues[partition] += waiting
                bell.notify()

    def close(self) -> None:
        """Commit what waits, end the threads and give the lock back."""
        for bell in self._bells:
            with bell:
                self._is_closing = True
                bell.notify()
        for thread in self._threads:
            thread.join()
        for writer in self._writers:
            writer.close()
        self._lock.release()

    def _run(self, number: int) -> None:
        bell, writer = self._bells[number], self._writers[number]
        while group := self._next_group(bell, number, writer):
            failed: OSError | None = None
            try:
                writer.commit([frame for _, frame in group])
            except OSError as error:
                failed = error
            except Exception as error:  # a thread that dies would leave everybody waiting
                failed = OSError(f"{type(error).__name__}: {error}")
            self._settled([waiter for waiter, _ in group], failed)

    def _next_group(
        self, bell: threading.Condition, number: int, writer: PartitionWriter
    ) -> list[Waiting]:
        """Wait for frames and take them, oldest first; none when the writer closes."""
        with bell:
            while not self._queues[number] and not self._is_closing:
                if not bell.wait(None if writer.is_resting else self._rest_seconds):
                    writer.rest()
            queue = self._queues[number]
            size = taken = 0
            while taken < len(queue) and (not taken or size < MOST_GROUP_BYTES):
                size += len(queue[taken][1])
                taken += 1
            self._queues[number] = queue[taken:]
        return queue[:taken]
