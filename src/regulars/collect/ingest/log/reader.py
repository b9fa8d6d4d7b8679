"""Read a partition of the log from a position on, never past what is known to be on disk."""

import mmap
import os
import re
import struct
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from regulars.collect.ingest.log.frame import Frame, TornFrame, decode_frame
from regulars.errors import Permanent

SYNCED_FILE = "synced"

_NAME = re.compile(r"(\d{12})\.seg")
_SYNCED = struct.Struct("<QQI")


@dataclass(frozen=True, order=True)
class Position:
    """A place in a partition of the log.

    Attributes:
        segment: Number of the first frame of the segment, which names its file.
        offset: Bytes from the start of the segment.
    """

    segment: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Stretch:
    """Frames that follow one another, possibly over several segments.

    Attributes:
        frames: The frames, in the order they were written.
        start: Where reading started.
        end: Where the next stretch starts.
    """

    frames: list[Frame]
    start: Position
    end: Position


def partition_folder(log: Path, partition: int) -> Path:
    """Give the folder of one partition.

    Returns:
        A path; whether there is such a folder is not looked at.

    Example:
        >>> partition_folder(Path("log"), 1).as_posix()
        'log/p1'
    """
    return log / f"p{partition}"


def partitions_in(log: Path) -> list[int]:
    """List the partitions a log has folders of, in order; empty when nothing was ever logged."""
    if not log.is_dir():
        return []
    return sorted(int(one.name[1:]) for one in log.iterdir() if re.fullmatch(r"p\d+", one.name))


def segment_file(folder: Path, segment: int) -> Path:
    """Give the file of one segment of a partition.

    Returns:
        A path; whether there is such a file is not looked at.

    Example:
        >>> segment_file(Path("p0"), 7).as_posix()
        'p0/000000000007.seg'
    """
    return folder / f"{segment:012}.seg"


def segments_in(folder: Path) -> list[int]:
    """List the segments of a partition by the number of their first frame, in order."""
    if not folder.is_dir():
        return []
    found = (_NAME.fullmatch(name) for name in os.listdir(folder))
    return sorted(int(one[1]) for one in found if one)


def publish_synced(handle: int, position: Position) -> None:
    """Tell readers up to where a partition is on disk.

    Args:
        handle: The partition's file `synced`, open for writing.
        position: End of what is on disk.
    """
    body = struct.pack("<QQ", position.segment, position.offset)
    os.pwrite(handle, body + struct.pack("<I", zlib.crc32(body)), 0)


def synced_in(folder: Path) -> Position | None:
    """Say up to where a partition is known to be on disk.

    Args:
        folder: The partition's folder.

    Returns:
        The position; None when nothing was logged yet.

    Raises:
        Permanent: The note is damaged; starting the server writes it again.
    """
    path = folder / SYNCED_FILE
    for _attempt in range(100):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if not data:
            return None
        if len(data) == _SYNCED.size and zlib.crc32(data[:16]) == _SYNCED.unpack(data)[2]:
            segment, offset, _ = _SYNCED.unpack(data)
            return Position(segment, offset)
    raise Permanent(f"{path} is damaged; stop the server, delete the file and start it again")


def read_stretch(
    folder: Path,
    start: Position,
    *,
    most_bytes: int = 8 << 20,
    end: Position | None = None,
) -> Stretch:
    """Read the frames that follow a position.

    Args:
        folder: The partition's folder.
        start: Where to start; `Position()` for the oldest frame there is.
        most_bytes: Stop after this many bytes; one frame is read however large.
        end: Read exactly up to here, however much it is, as when a stretch is read again.

    Returns:
        The frames and where the next stretch starts; no frames when nothing new is on disk.

    Raises:
        Permanent: A frame that was on disk is gone or changed.
    """
    limit = end or synced_in(folder)
    frames: list[Frame] = []
    here, taken = start, 0
    if limit is None:
        return Stretch(frames, start, start)
    known = [one for one in segments_in(folder) if one <= limit.segment]
    for segment in (one for one in known if one >= start.segment):
        offset = here.offset if segment == here.segment else 0
        last = limit.offset if segment == limit.segment else None
        room = None if end else most_bytes - taken
        found, here, is_whole = _read_segment(folder, Position(segment, offset), last, room)
        frames += found
        taken += here.offset - offset
        if not is_whole:
            break
    if end is not None and here != end:
        raise Permanent(
            f"{folder}: frames up to {end} were decided on and are gone; restore the log's folder"
        )
    return Stretch(frames, start, here)


def _read_segment(
    folder: Path, start: Position, last: int | None, room: int | None
) -> tuple[list[Frame], Position, bool]:
    """Read one segment from an offset; also say where it stopped and whether that is its end."""
    path = segment_file(folder, start.segment)
    frames: list[Frame] = []
    offset = start.offset
    with mapped(path) as data:
        limit = len(data) if last is None else last
        while offset < limit:
            if room is not None and offset - start.offset >= room:
                return frames, Position(start.segment, offset), False
            try:
                frame = decode_frame(data[:limit], offset)
            except TornFrame as error:
                if last is None and _is_beyond_count(folder, start.segment, data[:offset]):
                    break
                raise Permanent(
                    f"{path}: {error}, where a whole frame must be; restore the file from a copy"
                ) from error
            frames.append(frame)
            offset = frame.end
    return frames, Position(start.segment, offset), True


@contextmanager
def mapped(path: Path) -> Generator[memoryview]:
    """Map a file into memory to read it; an empty one is no bytes.

    Yields:
        Its bytes.
    """
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            yield memoryview(b"")
            return
        # Unmapped with its last view: an error on its way out may still hold one.
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def bytes_in(log: Path) -> int:
    """Say how many bytes of a log wait for the drain, or to be deleted after it.

    Args:
        log: The log's folder.

    Returns:
        Bytes of all segments; 0 when there are none.
    """
    total = 0
    for partition in partitions_in(log):
        folder = partition_folder(log, partition)
        for segment in segments_in(folder):
            with suppress(FileNotFoundError):
                total += segment_file(folder, segment).stat().st_size
    return total


def after_ended(folder: Path, position: Position) -> Position:
    """Step from the end of a segment its writer has ended to the segment after it.

    Args:
        folder: The partition's folder.
        position: Where a reader stands.

    Returns:
        The start of the next segment; the position itself when the segment is not ended or
        not read to its end.
    """
    later = [one for one in segments_in(folder) if one > position.segment]
    with suppress(FileNotFoundError):
        if later and segment_file(folder, position.segment).stat().st_size == position.offset:
            return Position(later[0])
    return position


def delete_before(
    folder: Path, position: Position, *, first: Callable[[], None] = lambda: None
) -> int:
    """Delete the segments of a partition that lie wholly before a position.

    The segment the position is in stays, even when read to its end: the numbers of later
    frames go on from it.

    Args:
        folder: The partition's folder.
        position: Where every reader has got to, or further.
        first: Called before the first deletion; not when there is nothing to delete.

    Returns:
        Segments deleted.
    """
    gone = [one for one in segments_in(folder)[:-1] if one < position.segment]
    if gone:
        first()
    for segment in gone:
        segment_file(folder, segment).unlink(missing_ok=True)
    return len(gone)


def _is_beyond_count(folder: Path, segment: int, whole: memoryview) -> bool:
    """Say whether a segment has as many whole frames as the next one's number says."""
    later = [one for one in segments_in(folder) if one > segment]
    return not later or segment + count_frames(whole)[0] >= later[0]


def count_frames(data: bytes | memoryview) -> tuple[int, int]:
    """Count the whole frames a segment begins with, checksums included.

    Args:
        data: The segment.

    Returns:
        Frames, and the offset after the last; what follows is a torn tail.

    Example:
        >>> count_frames(b"RGL1 torn")
        (0, 0)
    """
    count = offset = 0
    while offset < len(data):
        try:
            offset = decode_frame(data, offset).end
        except TornFrame:
            break
        count += 1
    return count, offset
