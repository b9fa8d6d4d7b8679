"""Packed fingerprints: the fates of many batches become few files, so that opening stays quick."""

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from regulars.collect.ingest.drain.fates import (
    fates_file,
    put_whole,
    read_fates,
    sequences_in,
)
from regulars.collect.ingest.drain.known.fingerprints import BYTES, Fingerprints, marks_of
from regulars.collect.ingest.log.disk import Disk
from regulars.errors import Permanent

PACK_AT = 64
"""Fates files that make a pack, and packs of one day that make a larger one at an eighth."""
_MAGIC = b"RGK1"
_HEAD = struct.Struct("<4sIIQ")
_NAME = re.compile(r"(\d{12})-(\d{12})\.known")
_CHUNK = 1 << 20
_MOST_MERGED = 1 << 18


@dataclass(frozen=True, order=True)
class Pack:
    """A file of fingerprints.

    Attributes:
        first: First batch it covers.
        last: Last batch it covers.
        path: The file.
    """

    first: int
    last: int
    path: Path


class _Header(msgspec.Struct):
    day: int
    count: int


def packs_in(folder: Path) -> list[Pack]:
    """List the packs of a partition, by the batches they cover.

    Returns:
        Packs in order; one covered by a wider one is left over from a crash and left out.
    """
    if not folder.is_dir():
        return []
    named = (_NAME.fullmatch(name) for name in os.listdir(folder))
    found = sorted(Pack(int(one[1]), int(one[2]), folder / one[0]) for one in named if one)
    return [
        pack
        for pack in found
        if not any(
            other != pack and other.first <= pack.first and pack.last <= other.last
            for other in found
        )
    ]


def load_known(folder: Path) -> Fingerprints:
    """Read everything known of a partition into memory.

    Args:
        folder: Folder of the partition's fates.

    Returns:
        The union of all packs and fates.

    Raises:
        Permanent: A file is damaged.
    """
    known = Fingerprints()
    packs = packs_in(folder)
    for pack in packs:
        for chunk in _chunks(pack):
            known.add(marks_of(chunk))
    packed = max((pack.last for pack in packs), default=0)
    for sequence in sequences_in(folder):
        if sequence > packed:
            known.add(marks_of(read_fates(folder, sequence).stored))
    return known


def pack(folder: Path, *, upto: int, disk: Disk) -> bool:
    """Pack the fates of batches nobody needs any more, and packs that became many.

    Args:
        folder: Folder of the partition's fates.
        upto: Last batch whose fates are needed for nothing but its fingerprints.
        disk: How to touch the disk.

    Returns:
        True when something was packed.

    Raises:
        OSError: The disk would not; what was there stays.
    """
    packed = max((one.last for one in packs_in(folder)), default=0)
    ready = [sequence for sequence in sequences_in(folder) if packed < sequence <= upto]
    if len(ready) < PACK_AT:
        return False
    fates = [read_fates(folder, sequence) for sequence in ready]
    day, stored = max(one.day for one in fates), b"".join(one.stored for one in fates)
    _write(folder, (ready[0], ready[-1], day), [stored], disk)
    _merge(folder, disk)
    _delete_packed(folder)
    return True


def tidy(folder: Path) -> None:
    """Delete what packs have made superfluous, and what a killed process left half written.

    To be called before the first batch, because a draft may be a batch just being committed.
    """
    for draft in folder.glob("*.draft"):
        draft.unlink()
    _delete_packed(folder)


def _delete_packed(folder: Path) -> None:
    packs = packs_in(folder)
    packed = max((one.last for one in packs), default=0)
    for sequence in sequences_in(folder):
        if sequence <= packed:
            fates_file(folder, sequence).unlink()
    kept = {one.path.name for one in packs}
    for name in os.listdir(folder) if folder.is_dir() else ():
        if _NAME.fullmatch(name) and name not in kept:
            (folder / name).unlink()


def forget(folder: Path, *, days: int) -> bool:
    """Drop packs older than a number of days on which events came.

    Days are counted where there were events, so a clock that was wrong for a while makes
    nothing older than it is.

    Args:
        folder: Folder of the partition's fates.
        days: Days with events to keep.

    Returns:
        True when something was dropped; then what is in memory must be loaded again.
    """
    seen: set[int] = set()
    dropped = False
    for one in reversed(packs_in(folder)):
        day = _header(one)[0].day
        if len(seen) >= days and day not in seen:
            one.path.unlink()
            dropped = True
        seen.add(day)
    return dropped


def _merge(folder: Path, disk: Disk) -> None:
    """Join neighbouring packs of one day and about one size, once there are eight."""
    by_kind: dict[tuple[int, int], list[Pack]] = {}
    for one in packs_in(folder):
        header = _header(one)[0]
        if header.count <= _MOST_MERGED:
            by_kind.setdefault((header.day, header.count.bit_length() // 3), []).append(one)
    for (day, _), alike in sorted(by_kind.items()):
        if len(alike) < PACK_AT // 8 or not _are_neighbours(folder, alike):
            continue
        name = alike[0].first, alike[-1].last, day
        _write(folder, name, [b"".join(_chunks(one)) for one in alike], disk)


def _are_neighbours(folder: Path, alike: Sequence[Pack]) -> bool:
    covered = {one.path for one in alike}
    inside = (
        one
        for one in packs_in(folder)
        if alike[0].first <= one.first and one.last <= alike[-1].last
    )
    return all(one.path in covered for one in inside)


def _write(folder: Path, name: tuple[int, int, int], parts: Sequence[bytes], disk: Disk) -> None:
    first, last, day = name
    body = b"".join(parts)
    header = msgspec.json.encode(_Header(day=day, count=len(body) // BYTES))
    head = _HEAD.pack(_MAGIC, len(header), zlib.crc32(body), len(body))
    put_whole(folder / f"{first:012}-{last:012}.known", head + header + body, disk)


def _header(one: Pack) -> tuple[_Header, int, int, int]:
    """Read the header of a pack: itself, checksum, length and start of the fingerprints."""
    with one.path.open("rb") as file:
        head = file.read(_HEAD.size)
        try:
            magic, size, checksum, length = _HEAD.unpack(head)
            header = msgspec.json.decode(file.read(size), type=_Header)
        except (struct.error, msgspec.MsgspecError) as error:
            raise _damaged(one) from error
    if magic != _MAGIC or one.path.stat().st_size != _HEAD.size + size + length:
        raise _damaged(one)
    return header, checksum, length, _HEAD.size + size


def _chunks(one: Pack) -> Iterator[bytes]:
    _, checksum, length, start = _header(one)
    found = 0
    with one.path.open("rb") as file:
        file.seek(start)
        for _ in range(0, length, _CHUNK * BYTES):
            chunk = file.read(_CHUNK * BYTES)
            found = zlib.crc32(chunk, found)
            yield chunk
    if found != checksum:
        raise _damaged(one)


def _damaged(one: Pack) -> Permanent:
    return Permanent(f"{one.path} is damaged; restore the file from a copy")
