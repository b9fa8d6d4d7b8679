"""Open a log after whatever happened: lock it, cut torn tails, say what is on disk."""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import (
    SYNCED_FILE,
    Position,
    count_frames,
    mapped,
    partition_folder,
    partitions_in,
    publish_synced,
    segment_file,
    segments_in,
    synced_in,
)
from regulars.errors import InputError, NotReady

LOCK_FILE = "writer.lock"
SHAPE_FILE = "log.json"


class Lock:
    """The right to write to a log, held by one process at a time; it ends with the process.

    Args:
        log: The log's folder.
    """

    def __init__(self, log: Path) -> None:
        """Take the lock.

        Raises:
            NotReady: Another process holds it.
        """
        self._handle = os.open(log / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise NotReady(
                f"another process writes to {log}; end that server first, or use another workspace"
            ) from error

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._handle)


def shape_log(log: Path, partitions: int) -> int:
    """Make the log's folder, or read what it was made with.

    Args:
        log: The log's folder.
        partitions: Partitions of a new log. A log keeps the number it was made with: the
            partition of an event decides which index knows it.

    Returns:
        Partitions of the log.

    Raises:
        InputError: The log's own note of its partitions is damaged.
    """
    log.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = log / SHAPE_FILE
    if not note.exists():
        draft = note.with_suffix(f".{os.getpid()}")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"partitions": max(partitions, len(partitions_in(log)))}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(note)
        Disk().sync_folder(log)
    try:
        found = int(json.loads(note.read_text("utf-8"))["partitions"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{note} is damaged; write {{"partitions": {len(partitions_in(log))}}} into it'
        ) from error
    return found


def recover_partition(folder: Path, disk: Disk) -> Position:
    """Cut what a killed writer left half written, and sync and publish the rest.

    A frame that is whole is kept though nobody may have been told: its client asks again, and
    the second time counts as a duplicate.

    Args:
        folder: The partition's folder; the caller holds the log's lock.
        disk: How to touch the disk.

    Returns:
        Segment the next frame starts, and offset 0.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    segments = segments_in(folder)
    following = _after_note(folder) if not segments else Position()
    while segments:
        last = segments.pop()
        path = segment_file(folder, last)
        with mapped(path) as data:
            count, end = count_frames(data)
        # The oldest segment stays even when empty: its number is where the next must go on.
        if count or not segments:
            _settle(path, end, disk)
            _publish(folder, Position(last, end), disk)
            following = Position(last + count)
            break
        path.unlink()
    disk.sync_folder(folder)
    return following


def recover(log: Path) -> bool:
    """Make everything whole in a log readable while no server writes to it.

    Args:
        log: The log's folder.

    Returns:
        False when a server is writing to it, which sees to this itself, or there is no log.
    """
    if not log.is_dir():
        return False
    with suppress(NotReady):
        lock = Lock(log)
        try:
            for partition in partitions_in(log):
                recover_partition(partition_folder(log, partition), Disk())
        finally:
            lock.release()
        return True
    return False


def _after_note(folder: Path) -> Position:
    """Go on after what the note says was written, when somebody deleted every segment."""
    noted = synced_in(folder)
    # A frame is longer than a byte, so this number was never given out.
    return Position(noted.segment + noted.offset + 1) if noted else Position()


def open_synced(folder: Path) -> int:
    """Open the note that tells readers what is on disk.

    Returns:
        Its handle, for `publish_synced`.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    return os.open(folder / SYNCED_FILE, flags, 0o600)


def _settle(path: Path, end: int, disk: Disk) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        disk.cut(handle, end)
        disk.sync(handle)
    finally:
        os.close(handle)


def _publish(folder: Path, position: Position, disk: Disk) -> None:
    handle = open_synced(folder)
    try:
        publish_synced(handle, position)
        disk.sync(handle)
    finally:
        os.close(handle)
