"""One frame of the log: what one request brought to one partition, with a checksum."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

MAGIC = b"RGL1"
FINGERPRINT_BYTES = 16
MOST_BODY_BYTES = 1 << 30
EVENT_LIMIT = 1 << 20
"""Bytes of the largest event that is stored; a larger one is held back."""

_HEAD = struct.Struct("<4sII")
_HEADER_LENGTH = struct.Struct("<H")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every event of a frame.

    Attributes:
        receipt: The request; frames of one request in several partitions share it.
        source: The source whose write key came with it.
        dialect: Wire format of the lines.
        received_at: When it was received, microseconds since 1970 UTC.
        sent_at: When the client says it sent it, microseconds since 1970 UTC.
        count: Events in the frame.
        agent: User-Agent of the client, "" when it gave none.
        ip: Address of the client, None when not kept.
    """

    receipt: str
    source: str
    dialect: str
    received_at: int
    sent_at: int | None
    count: int
    agent: str = ""
    ip: str | None = None


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        header: What holds for all its events.
        fingerprints: 16 bytes per event, in order.
        block: The events as lines, each ended by a newline, as the client sent them.
        end: Offset in the segment of the byte after the frame.
    """

    header: Header
    fingerprints: bytes
    block: bytes
    end: int

    @property
    def lines(self) -> list[bytes]:
        """The events, one JSON text each, without the newline."""
        return self.block.split(b"\n")[:-1]


class TornFrame(Exception):  # noqa: N818 - says what is found, and is always handled
    """The bytes are no whole frame: cut short, or changed since they were written."""


def fingerprint(source: str, message_id: str) -> bytes:
    """Name an event in 16 bytes, the same whenever it comes again.

    Args:
        source: The source it came from; ids of two sources never meet.
        message_id: Its id within the source.

    Returns:
        16 bytes.

    Source:
        RFC 7693 (BLAKE2b); 128 bits make two of 10^9 events meet with probability 1.5e-21.

    Example:
        >>> fingerprint("shop", "m1").hex()
        '1d38a7d20ff1cb5ebf98b9babcbc40c4'
    """
    return fingerprints(source, [message_id])[0]


def fingerprints(source: str, message_ids: Sequence[str]) -> list[bytes]:
    """Name the events of a request.

    Args:
        source: The source they came from.
        message_ids: Their ids within the source.

    Returns:
        16 bytes each, as `fingerprint` gives.

    Example:
        >>> fingerprints("shop", ["m1", "m2"])[0] == fingerprint("shop", "m1")
        True
    """
    name = source.encode() + b"\0"
    return [
        blake2b(name + one.encode("utf-8", "surrogatepass"), digest_size=FINGERPRINT_BYTES).digest()
        for one in message_ids
    ]


def partition_of(mark: bytes, partitions: int) -> int:
    """Say which partition of the log an event belongs to.

    Args:
        mark: Its fingerprint.
        partitions: Partitions there are, 1 or more.

    Returns:
        0 to partitions - 1.

    Example:
        >>> partition_of(bytes(15) + bytes([7]), 2)
        1
    """
    return mark[-1] % partitions


def encode_frame(header: Header, fingerprints: Sequence[bytes], lines: Sequence[bytes]) -> bytes:
    """Write a frame.

    Args:
        header: What holds for all its events; its count must be theirs.
        fingerprints: 16 bytes per event.
        lines: One JSON text per event, without any newline in it.

    Returns:
        The bytes to append to a segment.

    Raises:
        ValueError: Counts differ, or a line holds a newline.

    Example:
        >>> one = Header(receipt="r", source="s", dialect="native", received_at=1, sent_at=None,
        ...     count=1)
        >>> decode_frame(encode_frame(one, [bytes(16)], [b"{}"])).lines
        [b'{}']
    """
    # The line ends double as the check that no line brings one of its own.
    block = b"\n".join((*lines, b""))
    ends = block.count(b"\n")
    if not header.count == len(lines) == len(fingerprints) == ends:
        raise ValueError(
            f"a frame of {header.count} events came with {len(fingerprints)} fingerprints and "
            f"{len(lines)} lines that hold {ends} line ends; all must be equal"
        )
    head = msgspec.json.encode(header)
    before = b"".join((_HEADER_LENGTH.pack(len(head)), head, *fingerprints))
    checksum = zlib.crc32(block, zlib.crc32(before))
    return b"".join((_HEAD.pack(MAGIC, len(before) + len(block), checksum), before, block))


def decode_frame(data: bytes | memoryview, offset: int = 0) -> Frame:
    """Read one frame.

    Args:
        data: A segment, or its beginning.
        offset: Where the frame starts.

    Returns:
        The frame.

    Raises:
        TornFrame: No whole, unchanged frame starts there.
    """
    start, end = _bounds(data, offset)
    body = memoryview(data)[start:end]
    if zlib.crc32(body) != _HEAD.unpack_from(data, offset)[2]:
        raise TornFrame(f"the checksum at offset {offset} does not fit")
    head_end = _HEADER_LENGTH.size + _HEADER_LENGTH.unpack_from(body)[0]
    header = msgspec.json.decode(body[_HEADER_LENGTH.size : head_end], type=Header)
    lines_start = head_end + FINGERPRINT_BYTES * header.count
    return Frame(header, bytes(body[head_end:lines_start]), bytes(body[lines_start:]), end)


def _bounds(data: bytes | memoryview, offset: int) -> tuple[int, int]:
    """Say where the body of the frame at an offset begins and ends."""
    if offset + _HEAD.size > len(data):
        raise TornFrame(f"{len(data) - offset} bytes at offset {offset} are no frame")
    magic, length, _ = _HEAD.unpack_from(data, offset)
    start = offset + _HEAD.size
    if magic != MAGIC or length > MOST_BODY_BYTES or start + length > len(data):
        raise TornFrame(f"no whole frame starts at offset {offset}")
    return start, start + length
