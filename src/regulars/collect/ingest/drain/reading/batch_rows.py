"""The frames of a batch become one table of events, with a refusal for each that is not good."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ahocorasick_rs import BytesAhoCorasick
from numpy.typing import NDArray

from regulars.collect.anomalies import marks_on_arrival
from regulars.collect.ingest.drain.known.fingerprints import Marks, marks_of
from regulars.collect.ingest.drain.reading.ids import are_junk, ids_of
from regulars.collect.ingest.drain.reading.lines import (
    SEGMENT,
    Lines,
    Normalise,
    Refusal,
    agents_of,
    normalised,
    payloads_of,
    read_lines,
)
from regulars.collect.ingest.drain.reading.moments import (
    NONE,
    Moments,
    corrected,
    read_moments,
)
from regulars.collect.ingest.keys.service import UNKNOWN_SOURCE
from regulars.collect.ingest.log.frame import EVENT_LIMIT, Frame
from regulars.collect.tracking import BadEvent
from regulars.records.events import CLOCK_UNREADABLE

PLAIN = frozenset({SEGMENT, "rudder", "native"})
"""Dialects whose lines are in Segment form already."""
_EXTERNAL_IDS = re.compile(r'"externalIds"\s*:\s*\[\s*\{')
_UTC = pa.timestamp("us", "UTC")
_DAY = 86_400_000_000
_MINUTE = 60_000_000
# Ten times as fast as `in`, which takes a tenth of the time of reading.
_DRIVERS = BytesAhoCorasick([b"webdriver"])


@dataclass(frozen=True)
class Rules:
    """What reading depends on besides the events.

    Attributes:
        zone: IANA zone that decides what a day is.
        normalise: Puts an event of another dialect into Segment form.
        late_days: Days after which an event that arrives is late.
        future_minutes: Minutes the client's clock may be ahead.
        breaches: Says which events break the tracking plan, for sources it is strict with: path
            and detail by place.
    """

    zone: str
    normalise: Normalise
    late_days: int = 7
    future_minutes: int = 10
    breaches: Callable[[pa.Table], dict[int, tuple[str, str]]] | None = None


@dataclass(frozen=True)
class BatchRows:
    """What the frames of a batch hold.

    Attributes:
        frames: The frames.
        rows: One row per event in the order of the log, columns of `events` but for partition
            and sequence; a row of a refused event holds whatever could be read.
        marks: Fingerprints, shape (events, 2).
        refusals: Why events are held back, by place.
        frame_of: The frame of each event, as a place in `frames`.
    """

    frames: Sequence[Frame]
    rows: pa.Table
    marks: Marks
    refusals: dict[int, Refusal]
    frame_of: NDArray[np.int64]

    def line(self, place: int) -> bytes:
        """Give one event as the client sent it."""
        frame = int(self.frame_of[place])
        return self._lines(frame)[place - int(self._starts[frame])]

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        counts = [frame.header.count for frame in self.frames]
        return np.cumsum([0, *counts[:-1]], dtype=np.int64)

    @cached_property
    def _split(self) -> dict[int, list[bytes]]:
        return {}

    def _lines(self, frame: int) -> list[bytes]:
        if frame not in self._split:
            self._split[frame] = self.frames[frame].lines
        return self._split[frame]


def read_batch(frames: Sequence[Frame], rules: Rules) -> BatchRows:
    """Read the events of a batch.

    Args:
        frames: Frames of one partition, in the order of the log.
        rules: What reading depends on.

    Returns:
        Rows and refusals; the same for the same frames, however often they are read.
    """
    counts = np.array([frame.header.count for frame in frames], np.int64)
    frame_of = np.repeat(np.arange(len(frames)), counts)
    block, refusals = _block(frames, rules)
    lines = read_lines(block, len(frame_of), rules.normalise)
    refusals = lines.refusals | refusals
    payloads, not_text = payloads_of(lines)
    for place in not_text:
        refusals.setdefault(place, Refusal("unreadable", "", "the line is not UTF-8; send UTF-8"))
    lengths = pc.fill_null(pc.binary_length(payloads), 0).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(lengths > EVENT_LIMIT).tolist():
        refusals.setdefault(
            place, Refusal("too_large", "", f"an event may hold {EVENT_LIMIT} bytes")
        )
    marks = marks_of(b"".join(frame.fingerprints for frame in frames))
    reader = _Columns(frames, lines, payloads, frame_of, rules)
    rows = reader.rows(marks)
    _judge(rows, reader, refusals)
    for place, fault in (rules.breaches(rows) if rules.breaches else {}).items():
        refusals.setdefault(place, Refusal("breaks_plan", *fault))
    return BatchRows(frames, rows, marks, refusals, frame_of)


def _block(frames: Sequence[Frame], rules: Rules) -> tuple[bytes, dict[int, Refusal]]:
    """Join the lines of all frames, in Segment form."""
    parts: list[bytes] = []
    refusals: dict[int, Refusal] = {}
    place = 0
    for frame in frames:
        if frame.header.dialect in PLAIN:
            parts.append(frame.block)
            place += frame.header.count
            continue
        for line in frame.lines:
            try:
                parts.append(normalised(line, frame.header.dialect, rules.normalise) + b"\n")
            except BadEvent as error:
                parts.append(b"{}\n")
                refusals[place] = Refusal(error.reason, error.path, error.detail)
            place += 1
    return b"".join(parts), refusals


class _Columns:
    """The columns of a batch."""

    def __init__(
        self,
        frames: Sequence[Frame],
        lines: Lines,
        payloads: pa.StringArray,
        frame_of: NDArray[np.int64],
        rules: Rules,
    ) -> None:
        self._headers = [frame.header for frame in frames]
        records = lines.records
        self._records, self._payloads, self._rules = records, payloads, rules
        self._has_drivers = bool(_DRIVERS.find_matches_as_indexes(lines.block))
        self._places = pa.array(frame_of)
        self._frame_of = frame_of
        self.type = ids_of([one.type for one in records])
        self.anonymous_id = ids_of([one.anonymousId for one in records])
        self.user_id = ids_of([one.userId for one in records])

    def rows(self, marks: Marks) -> pa.Table:
        received = self._of_frames([header.received_at for header in self._headers])
        sent, original, wrong = self._clock()
        occurred = corrected(original, sent, received)
        moments = pa.array(occurred).cast(_UTC)
        columns = {
            "source": self._text([header.source for header in self._headers]),
            "message_id": self._message_ids(marks),
            "dialect": self._text([header.dialect for header in self._headers]),
            "type": self.type,
            "event": self._names(),
            "occurred_at": moments,
            "sent_at": pa.array(sent, mask=sent == NONE).cast(_UTC),
            "received_at": pa.array(received).cast(_UTC),
            "business_date": _day(moments, self._rules.zone),
            "anonymous_id": self.anonymous_id,
            "user_id": self.user_id,
            "payload": self._payloads,
            "receipt": self._text([header.receipt for header in self._headers]),
            "is_late": pa.array(occurred < received - self._rules.late_days * _DAY),
            "is_future": pa.array(occurred > received + self._rules.future_minutes * _MINUTE),
            "marks": self._marks(wrong),
        }
        return pa.table(columns)

    def _of_frames(self, values: Sequence[int | None]) -> Moments:
        numbers = np.array([NONE if value is None else value for value in values], np.int64)
        found: Moments = numbers[self._frame_of]
        return found

    def _text(self, values: Sequence[str | None]) -> pa.StringArray:
        return pa.array(values, pa.string()).take(self._places)

    def _clock(self) -> tuple[Moments, Moments, NDArray[np.bool_]]:
        """Read when events were sent and when they happened, and which could not be read."""
        values: list[Any] = [
            one.timestamp if one.originalTimestamp is None else one.originalTimestamp
            for one in self._records
        ]
        original, wrong = read_moments(values)
        in_line, wrong_sent = read_moments([one.sentAt for one in self._records])
        whole = self._of_frames([header.sent_at for header in self._headers])
        return np.where(in_line == NONE, whole, in_line), original, wrong | wrong_sent

    def _message_ids(self, marks: Marks) -> pa.StringArray:
        ids = ids_of([one.messageId for one in self._records])
        if not ids.null_count:
            return ids
        # An event without an id of its own goes by its fingerprint.
        lacks = pc.is_null(ids)
        own = [mark.tobytes().hex() for mark in marks[lacks.to_numpy(zero_copy_only=False)]]
        return pc.replace_with_mask(ids, lacks, pa.array(own))

    def _names(self) -> pa.StringArray:
        names = ids_of([one.event if one.event is not None else one.name for one in self._records])
        events = ids_of([one.event for one in self._records])
        is_track = pc.equal(self.type, "track")
        is_view = pc.is_in(self.type, value_set=pa.array(["page", "screen"]))
        return pc.if_else(is_track, events, pc.if_else(is_view, names, None))

    def _marks(self, wrong: NDArray[np.bool_]) -> pa.StringArray:
        seen = marks_on_arrival(
            self._text([header.agent or None for header in self._headers]),
            # They are looked through for this word, which is slow and hardly ever there.
            self._payloads if self._has_drivers else pa.nulls(len(self._records), pa.string()),
            payload_agents=ids_of(agents_of(self._records)),
            addresses=self._text([header.ip for header in self._headers]),
        )
        if not wrong.any():
            return seen
        own = pc.if_else(pa.array(wrong), CLOCK_UNREADABLE, "")
        both = pc.binary_join_element_wise(own, pc.fill_null(seen, ""), " ")
        trimmed = pc.utf8_trim_whitespace(both)
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _day(moments: pa.TimestampArray, zone: str) -> pa.Date32Array:
    return pc.local_timestamp(moments.cast(pa.timestamp("us", zone))).cast(pa.date32())


def _about_no_one(rows: pa.Table, columns: _Columns) -> pa.BooleanArray:
    """Say which events name nobody though their wire wants them to.

    Segment's does, unless identifiers stand in the context. Other clients send calls that are
    about an item or a store, and what they name a customer by was read with their dialect.

    Returns:
        True for each event at fault.
    """
    ids = pc.and_(pc.is_null(columns.user_id), pc.is_null(columns.anonymous_id))
    is_plain = pc.is_in(rows["dialect"], value_set=pa.array(sorted(PLAIN)))
    bare = np.asarray(pc.and_(ids, is_plain)).copy()
    for place in np.flatnonzero(bare).tolist():
        bare[place] = _EXTERNAL_IDS.search(rows["payload"][place].as_py()) is None
    return pa.array(bare)


def _judge(rows: pa.Table, columns: _Columns, refusals: dict[int, Refusal]) -> None:
    """Add a refusal for each event that breaks a rule; the first rule broken is its reason."""
    is_track = pc.fill_null(pc.equal(columns.type, "track"), False)
    rules: list[tuple[Any, Refusal]] = [
        (
            pc.equal(rows["source"], UNKNOWN_SOURCE),
            Refusal("unknown_key", "", "no source has the write key it came with"),
        ),
        (
            are_junk(columns.user_id),
            Refusal("junk_id", "userId", "stands for no one or for everyone; leave it out"),
        ),
        (
            are_junk(columns.anonymous_id),
            Refusal("junk_id", "anonymousId", "stands for no one or for everyone; leave it out"),
        ),
        (
            _about_no_one(rows, columns),
            Refusal("no_id", "userId", "neither userId nor anonymousId names anyone; send one"),
        ),
        (
            pc.and_(is_track, pc.is_null(rows["event"])),
            Refusal("missing_name", "event", "a track event needs a name; send one"),
        ),
    ]
    for broken, refusal in rules:
        for place in np.flatnonzero(np.asarray(broken)).tolist():
            refusals.setdefault(place, refusal)
