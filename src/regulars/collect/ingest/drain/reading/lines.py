"""Lines become records of the few fields that have columns; the rest is skipped, not built."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.collect.tracking import BadEvent, Refused
from regulars.collect.tracking.bodies import read_json
from regulars.collect.tracking.depth import MOST_DEPTH, depth_of, shallowly
from regulars.errors import InputError

Normalise = Callable[[str, dict[str, Any]], dict[str, Any]]
TYPES = ("track", "identify", "page", "screen", "group", "alias")
SEGMENT = "segment"
TOO_DEEP = "too_deep"
_EMPTY = b"{}"
_NEWLINE = ord("\n")
_STRETCH = 1 << 19


@dataclass(frozen=True)
class Refusal:
    """Why one event is held back.

    Attributes:
        reason: Reason code.
        path: Where in the event the fault lies; empty for the whole event.
        detail: What was found and what is wanted, without personal data.
    """

    reason: str
    path: str
    detail: str


# They hold no cycles: the collector need not look at millions of them.
class _Context(msgspec.Struct, gc=False):
    userAgent: Any = None  # noqa: N815


class Record(msgspec.Struct, gc=False):
    """The fields of an event in Segment form that have columns; each may hold anything."""

    type: Any = None
    event: Any = None
    name: Any = None
    messageId: Any = None  # noqa: N815
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    context: _Context | list[Any] | str | float | bool | None = None


_DECODER = msgspec.json.Decoder(Record)
# What is no object is told apart afterwards: one such line would spoil all others.
_WHOLE = msgspec.json.Decoder(Record | list[Any] | str | float | bool | None)
_PIECE = 32
"""Lines read at once where a batch holds a line that is no JSON."""


def agents_of(records: list[Record]) -> list[Any]:
    """Give what pages say about their browser, None where they say nothing."""
    contexts = [one.context for one in records]
    return [one.userAgent if type(one) is _Context else None for one in contexts]


@dataclass
class Lines:
    """The lines of a batch, read.

    Attributes:
        records: One record per line; empty for a line that could not be read.
        block: The lines in Segment form, each ended by a newline.
        refusals: Why lines could not be read, by place.
        ends: Where lines end, as `ends_of` says; None until somebody needs it.
        deep: Lines there was no room to read, by place.
    """

    records: list[Record]
    block: bytes
    refusals: dict[int, Refusal]
    ends: NDArray[np.int64] | None = None
    deep: dict[int, bytes] = field(default_factory=dict)


def read_lines(block: bytes, count: int, normalise: Normalise) -> Lines:
    """Read the lines of a batch.

    All lines at once; one by one only next to a line that is no JSON. Lines that are no object or
    of no known type are put into form one by one.

    Args:
        block: Lines in Segment form, each ended by a newline.
        count: How many there are.
        normalise: Puts an event of a dialect into Segment form.

    Returns:
        Records, lines and refusals.
    """
    try:
        found = Lines(shallowly(lambda: _WHOLE.decode_lines(block)), block, {})
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        found = shallowly(lambda: _in_pieces(block, count))
    if len(found.records) != count:
        found = shallowly(lambda: _in_pieces(block, count))
    for place in [n for n, one in found.refusals.items() if one.reason == TOO_DEEP]:
        _look_again(found, place)
    odd = [
        place
        for place, one in enumerate(found.records)
        if type(one) is not Record or one.type not in TYPES
    ]
    odd = [place for place in odd if place not in found.refusals]
    if odd:
        _put_in_form(found, odd, normalise)
    return found


def _in_pieces(block: bytes, count: int) -> Lines:
    """Read a few lines at a time, and one by one where these cannot be read at once."""
    ends = ends_of(block, count).tolist()
    found, blocks = Lines([], b"", {}), []
    for first in range(0, count, _PIECE):
        last = min(first + _PIECE, count)
        piece = block[ends[first] : ends[last]]
        try:
            records = _WHOLE.decode_lines(piece)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            records = []
        if len(records) != last - first:
            part = _one_by_one(piece)
            records, piece = part.records, part.block
            found.refusals |= {first + place: one for place, one in part.refusals.items()}
            found.deep |= {first + place: line for place, line in part.deep.items()}
        found.records += records
        blocks.append(piece)
    found.block = b"".join(blocks)
    return found


def _one_by_one(block: bytes) -> Lines:
    found = Lines([], b"", {})
    lines = []
    for place, line in enumerate(block.split(b"\n")[:-1]):
        try:
            record, kept = _read(line)
        except (BadEvent, RecursionError) as error:
            record, kept = Record(), _EMPTY
            found.refusals[place] = _refusal(error)
            if isinstance(error, RecursionError):
                found.deep[place] = line
        found.records.append(record)
        lines.append(kept)
    found.block = b"\n".join([*lines, b""])
    return found


def _look_again(found: Lines, place: int) -> None:
    """Read a line for which there was no room: it may be just as deep as one may be."""
    line = found.deep.pop(place)
    if depth_of(line) > MOST_DEPTH:
        return
    del found.refusals[place]
    ends = ends_of(found.block, len(found.records))
    start, end = int(ends[place]), int(ends[place + 1])
    try:
        found.records[place], kept = _read(line)
    except BadEvent as error:
        found.refusals[place] = Refusal(error.reason, error.path, error.detail)
        return
    found.block = b"".join([found.block[:start], kept, b"\n", found.block[end:]])


def _put_in_form(found: Lines, places: list[int], normalise: Normalise) -> None:
    ends = found.ends = ends_of(found.block, len(found.records))
    parts, done = [], 0
    for place in places:
        start, end = int(ends[place]), int(ends[place + 1])
        line = found.block[start : end - 1]
        is_object = type(found.records[place]) is Record
        try:
            line = normalised(line, SEGMENT, normalise)
        except BadEvent as error:
            found.refusals[place] = Refusal(error.reason, error.path, error.detail)
            if is_object:
                continue
            line = _EMPTY
        found.records[place], line = _read(line)
        parts += [found.block[done:start], line, b"\n"]
        done = end
    if parts:
        found.block, found.ends = b"".join([*parts, found.block[done:]]), None


def ends_of(block: bytes, count: int) -> NDArray[np.int64]:
    r"""Say where lines end.

    Args:
        block: Lines, each ended by a newline.
        count: How many there are.

    Returns:
        0, then the place after each newline, shape (count + 1,).

    Example:
        >>> ends_of(b"a\nbc\n", 2).tolist()
        [0, 2, 5]
    """
    letters = np.frombuffer(block, np.uint8)
    # A stretch at a time, which stays in the cache of the processor.
    found = [
        np.flatnonzero(letters[at : at + _STRETCH] == _NEWLINE) + at
        for at in range(0, len(letters), _STRETCH)
    ]
    ends = np.zeros(count + 1, np.int64)
    ends[1:] = np.concatenate([*found, ends[:0]])[:count] + 1
    return ends


def _refusal(error: BadEvent | RecursionError) -> Refusal:
    if isinstance(error, BadEvent):
        return Refusal(error.reason, error.path, error.detail)
    return Refusal(TOO_DEEP, "", f"an event may be nested {MOST_DEPTH} levels deep")


def _read(line: bytes) -> tuple[Record, bytes]:
    try:
        return _DECODER.decode(line), line
    except (msgspec.MsgspecError, UnicodeError):
        event = read_object(line)
    mended = msgspec.json.encode(event)
    return msgspec.convert(event, Record), mended


def read_object(line: bytes) -> dict[str, Any]:
    """Read one line, patiently.

    Returns:
        The event.

    Raises:
        BadEvent: It is no JSON object.
    """
    try:
        event = read_json(line)
    except Refused as error:
        raise BadEvent("unreadable", "", "the line is no JSON; send a JSON object") from error
    if not isinstance(event, dict):
        kind = type(event).__name__
        raise BadEvent("not_an_object", "", f"the event is a JSON {kind}; send an object")
    return event


def normalised(line: bytes, dialect: str, normalise: Normalise) -> bytes:
    """Put one line of another dialect into Segment form.

    Args:
        line: The event in the vendor's form.
        dialect: Wire format of the line.
        normalise: Puts an event of a dialect into Segment form.

    Returns:
        One line of JSON.

    Raises:
        BadEvent: It cannot be put into that form.
    """
    try:
        return msgspec.json.encode(normalise(dialect, read_object(line)))
    except BadEvent:
        raise
    except (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        detail = f"{type(error).__name__} while reading the dialect {dialect}"
        raise BadEvent("unreadable", "", detail) from error


def payloads_of(lines: Lines) -> tuple[pa.StringArray, list[int]]:
    """Give lines as a column of text, without copying them one by one.

    Args:
        lines: The lines of a batch.

    Returns:
        One text per line; and places of lines that are not UTF-8, whose text is empty.
    """
    count, block = len(lines.records), lines.block
    ends = pa.py_buffer(ends_of(block, count) if lines.ends is None else lines.ends)
    whole = pa.Array.from_buffers(pa.large_binary(), count, [None, ends, pa.py_buffer(block)])
    cut = pc.binary_slice(whole, 0, -1) if count else whole
    try:
        return cut.cast(pa.binary()).cast(pa.string()), []
    except pa.ArrowInvalid:
        texts = [_text(line) for line in cut.to_pylist()]
        return pa.array(texts, pa.string()), [n for n, text in enumerate(texts) if text is None]


def _text(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
