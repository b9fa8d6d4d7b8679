"""Fates: what came of every event of a batch, committed by one file that appears whole or not."""

import os
import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import Position
from regulars.errors import Permanent

MAGIC = b"RGF1"
SUFFIX = ".fates"
_HEAD = struct.Struct("<4sII")
_LENGTH = struct.Struct("<I")


class Fate(IntEnum):
    """What came of an event; exactly one of these."""

    STORED = 0
    DUPLICATE = 1
    QUARANTINED = 2
    SUPPRESSED = 3


class _Header(msgspec.Struct, kw_only=True):
    partition: int
    sequence: int
    start: tuple[int, int]
    end: tuple[int, int]
    count: int
    day: int
    reasons: list[str]
    replayed: list[str]


@dataclass(frozen=True)
class Fates:
    """What came of one batch of one partition.

    Attributes:
        partition: Partition of the log.
        sequence: Number of the batch in its partition, from 1.
        start: Where its stretch of the log starts.
        end: Where it ends, and the next one starts.
        day: Day of the newest event, by when it was received, in days since 1970 UTC.
        fates: One `Fate` per event, in the order of the log, uint8.
        reasons: Why each event was held back, as a place in `reason_names`, uint8; 0 for others.
        stored: 16 bytes per stored event, in order.
        reason_names: Reason codes; the first is empty.
        replayed: Refused events that were decided again, where the batch is a replay; such a
            batch has no stretch of the log.
    """

    partition: int
    sequence: int
    start: Position
    end: Position
    day: int
    fates: NDArray[np.uint8]
    reasons: NDArray[np.uint8]
    stored: bytes
    reason_names: list[str] = field(default_factory=lambda: [""])
    replayed: list[str] = field(default_factory=list)

    def reason(self, place: int) -> str:
        """Give the reason an event was held back; empty when it was not."""
        return self.reason_names[int(self.reasons[place])]


def encode_fates(fates: Fates) -> bytes:
    """Write fates as the bytes of their file.

    Returns:
        Magic, length, checksum, header, fates, reasons, fingerprints.
    """
    header = msgspec.json.encode(
        _Header(
            partition=fates.partition,
            sequence=fates.sequence,
            start=(fates.start.segment, fates.start.offset),
            end=(fates.end.segment, fates.end.offset),
            count=len(fates.fates),
            day=fates.day,
            reasons=fates.reason_names,
            replayed=fates.replayed,
        )
    )
    body = b"".join((
        _LENGTH.pack(len(header)),
        header,
        fates.fates.tobytes(),
        fates.reasons.tobytes(),
        fates.stored,
    ))
    return _HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def decode_fates(data: bytes, where: Path) -> Fates:
    """Read fates from the bytes of their file.

    Args:
        data: The file.
        where: Its path, for the message.

    Returns:
        The fates.

    Raises:
        Permanent: The file was changed since it was written.
    """
    body = data[_HEAD.size :]
    if len(data) < _HEAD.size or _HEAD.unpack_from(data) != (MAGIC, len(body), zlib.crc32(body)):
        raise Permanent(f"{where} is damaged; restore the file from a copy")
    start = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    header = msgspec.json.decode(body[_LENGTH.size : start], type=_Header)
    middle, end = start + header.count, start + 2 * header.count
    return Fates(
        partition=header.partition,
        sequence=header.sequence,
        start=Position(*header.start),
        end=Position(*header.end),
        day=header.day,
        fates=np.frombuffer(body[start:middle], np.uint8),
        reasons=np.frombuffer(body[middle:end], np.uint8),
        stored=body[end:],
        reason_names=header.reasons,
        replayed=header.replayed,
    )


def fates_folder(workspace: Path, partition: int) -> Path:
    """Give the folder of the fates of one partition."""
    return workspace / "fates" / f"p{partition}"


def fates_file(folder: Path, sequence: int) -> Path:
    """Give the file of one batch.

    Returns:
        A path; whether there is such a file is not looked at.

    Example:
        >>> fates_file(Path("p0"), 7).as_posix()
        'p0/000000000007.fates'
    """
    return folder / f"{sequence:012}{SUFFIX}"


def sequences_in(folder: Path) -> list[int]:
    """List the batches whose fates are in a folder, in order."""
    if not folder.is_dir():
        return []
    return sorted(int(Path(name).stem) for name in os.listdir(folder) if name.endswith(SUFFIX))


def read_fates(folder: Path, sequence: int) -> Fates:
    """Read the fates of one batch.

    Returns:
        The fates.

    Raises:
        Permanent: The file was changed since it was written.
    """
    path = fates_file(folder, sequence)
    return decode_fates(path.read_bytes(), path)


def commit_fates(folder: Path, fates: Fates, disk: Disk) -> None:
    """Commit the fates of a batch: once this returns they hold, whatever happens.

    Args:
        folder: Folder of the partition's fates.
        fates: The fates.
        disk: How to touch the disk.

    Raises:
        OSError: The disk would not; nothing is committed.
    """
    put_whole(fates_file(folder, fates.sequence), encode_fates(fates), disk)


def put_whole(path: Path, data: bytes, disk: Disk) -> None:
    """Write a file that is there whole, or not at all.

    Args:
        path: Where it shall be.
        data: Its content.
        disk: How to touch the disk.

    Raises:
        OSError: The disk would not; the file is not there.
    """
    draft = path.with_suffix(".draft")
    handle = disk.create(draft)
    try:
        disk.write(handle, data)
        disk.sync(handle)
    finally:
        os.close(handle)
    draft.replace(path)
    try:
        disk.sync_folder(path.parent)
    except OSError:
        # Nobody was told yet; what might come back after a power cut must not.
        path.unlink(missing_ok=True)
        raise
