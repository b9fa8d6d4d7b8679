"""The few calls by which the log touches the disk, so that a test can make each of them fail."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Disk:
    """The real disk, unless told otherwise. Each call raises OSError when the disk would not.

    Attributes:
        create: Opens a file for appending, made or emptied.
        write: Appends all of the data.
        sync: Returns once everything written to the file is on disk.
        sync_folder: Returns once the names in a folder are on disk.
        cut: Throws away what a file holds beyond a length.
    """

    create: Callable[[Path], int] = _create
    write: Callable[[int, bytes], None] = _write
    # Systems without fdatasync have fsync.
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
    sync_folder: Callable[[Path], None] = _sync_folder
    cut: Callable[[int, int], None] = os.ftruncate
