"""Deciding a batch: every event gets one fate, and the rows that follow from it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.ingest.drain.fates import Fate, Fates
from regulars.collect.ingest.drain.known.fingerprints import Marks, first_of_each
from regulars.collect.ingest.drain.reading.batch_rows import BatchRows
from regulars.collect.ingest.drain.reading.lines import Refusal
from regulars.collect.ingest.log.frame import Frame, encode_frame
from regulars.collect.ingest.log.reader import Position

Mask = NDArray[np.bool_]

COUNTED = ("stored", "duplicate", "quarantined", "suppressed")
"""The fates as columns of `receipts`, in the order of `Fate`."""
_MOST_REASONS = 255
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Gates:
    """What events pass before anything of them is written outside the log.

    Attributes:
        protect: Replaces direct identifiers in columns payload, user_id and anonymous_id.
        seal: Encrypts what is held back whole.
        suppressed: Says of which rows nothing may be kept, because their customer was erased.
    """

    protect: Callable[[pa.Table], pa.Table]
    seal: Callable[[bytes], str]
    suppressed: Callable[[pa.Table], Mask]


@dataclass(frozen=True)
class Outcome:
    """What came of a refused event that was decided again.

    Attributes:
        refused_id: The refused event.
        fate: Its fate now.
        refusal: Why it is still held back; None when it is not.
    """

    refused_id: str
    fate: Fate
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Decided:
    """A batch that was decided, and what follows.

    Attributes:
        fates: What came of each event.
        events: Rows of `events`.
        refused: Rows of `refused_events`.
        receipts: Rows of `receipts`.
        outcomes: What came of refused events, where the batch is a replay.
        size: Bytes of the lines it was decided on.
        received_at: When its oldest event was received, microseconds since 1970 UTC.
    """

    fates: Fates
    events: pa.Table
    refused: pa.Table
    receipts: pa.Table
    outcomes: list[Outcome] = field(default_factory=list)
    size: int = 0
    received_at: int = 0


@dataclass(frozen=True)
class Place:
    """Where a batch stands.

    Attributes:
        partition: Partition of the log.
        sequence: Number of the batch in it.
        start: Where its stretch of the log starts.
        end: Where it ends.
        replayed: Refused events it decides again; empty for events of the log.
    """

    partition: int
    sequence: int
    start: Position
    end: Position
    replayed: Sequence[str] = ()


def decide(batch: BatchRows, place: Place, known: Callable[[Marks], Mask], gates: Gates) -> Decided:
    """Decide a batch.

    Good events are stored unless their fingerprint is known or came earlier in the batch. A
    refused event hides no good one of the same id: it is not known.

    Args:
        batch: The events.
        place: Where the batch stands.
        known: Says which fingerprints are stored already.
        gates: What events pass.

    Returns:
        Fates and rows; nothing is committed yet.
    """
    fates = np.zeros(len(batch.marks), np.uint8)
    fates[list(batch.refusals)] = Fate.QUARANTINED
    good = np.flatnonzero(fates == Fate.STORED)
    marks = batch.marks[good]
    fates[good[~(first_of_each(marks) & ~known(marks))]] = Fate.DUPLICATE
    rows = gates.protect(_where(batch.rows, fates == Fate.STORED))
    suppressed = gates.suppressed(rows)
    if suppressed.any():
        fates[np.flatnonzero(fates == Fate.STORED)[suppressed]] = Fate.SUPPRESSED
        rows = _where(rows, ~suppressed)
    return _carried_out(batch, _fates_of(batch, place, fates), rows, gates)


def decided_again(batch: BatchRows, fates: Fates, gates: Gates) -> Decided:
    """Work out again what follows from fates that are committed.

    Args:
        batch: The events, read again.
        fates: What was decided.
        gates: What events pass.

    Returns:
        The same as when it was decided.
    """
    rows = gates.protect(_where(batch.rows, fates.fates == Fate.STORED))
    return _carried_out(batch, fates, rows, gates)


def _where(rows: pa.Table, mask: Mask) -> pa.Table:
    return rows if mask.all() else rows.filter(pa.array(mask))


def _fates_of(batch: BatchRows, place: Place, fates: NDArray[np.uint8]) -> Fates:
    names = [""]
    reasons = np.zeros(len(fates), np.uint8)
    for at, refusal in sorted(batch.refusals.items()):
        if refusal.reason not in names and len(names) < _MOST_REASONS:
            names.append(refusal.reason)
        reasons[at] = names.index(refusal.reason) if refusal.reason in names else 0
    newest = max((frame.header.received_at for frame in batch.frames), default=0)
    return Fates(
        partition=place.partition,
        sequence=place.sequence,
        start=place.start,
        end=place.end,
        day=newest // _DAY,
        fates=fates,
        reasons=reasons,
        stored=batch.marks[fates == Fate.STORED].tobytes(),
        reason_names=names,
        replayed=list(place.replayed),
    )


def _carried_out(batch: BatchRows, fates: Fates, rows: pa.Table, gates: Gates) -> Decided:
    events = _placed(rows, fates)
    refused = np.flatnonzero(fates.fates == Fate.QUARANTINED).tolist()
    receipts = _corrections(batch, fates) if fates.replayed else _receipts(batch, fates)
    return Decided(
        fates,
        events,
        _placed(_refused(batch, fates, [] if fates.replayed else refused, gates), fates),
        _placed(receipts, fates),
        [_outcome(batch, fates, place) for place in range(len(fates.replayed))],
        sum(len(frame.block) for frame in batch.frames),
        min((frame.header.received_at for frame in batch.frames), default=0),
    )


def _placed(rows: pa.Table, fates: Fates) -> pa.Table:
    for name, value in (("log_partition", fates.partition), ("log_sequence", fates.sequence)):
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.int64()), rows.num_rows))
    return rows


def _refusal(batch: BatchRows, fates: Fates, place: int) -> Refusal:
    return batch.refusals.get(place) or Refusal(fates.reason(place) or "unreadable", "", "")


def _refused(batch: BatchRows, fates: Fates, places: list[int], gates: Gates) -> pa.Table:
    found = [_refusal(batch, fates, place) for place in places]
    rows = batch.rows.take(pa.array(places, pa.int64()))
    return pa.table({
        "refused_id": pa.array(
            [f"{fates.partition}-{fates.sequence}-{place}" for place in places], pa.string()
        ),
        "source": rows["source"],
        "message_id": rows["message_id"],
        "dialect": rows["dialect"],
        "received_at": rows["received_at"],
        "receipt": rows["receipt"],
        "reason": pa.array([one.reason for one in found], pa.string()),
        "path": pa.array([one.path or None for one in found], pa.string()),
        "detail": pa.array([one.detail or None for one in found], pa.string()),
        "raw": pa.array([gates.seal(_enveloped(batch, place)) for place in places], pa.string()),
    })


def _enveloped(batch: BatchRows, place: int) -> bytes:
    """Give one event with all that is needed to decide it again: as a frame of its own."""
    frame = batch.frames[int(batch.frame_of[place])]
    return enveloped(frame, batch.line(place), batch.marks[place].tobytes())


def enveloped(frame: Frame, line: bytes, mark: bytes) -> bytes:
    """Put one event into a frame of its own.

    Args:
        frame: The frame it came in.
        line: The event.
        mark: Its fingerprint.

    Returns:
        The encoded frame.
    """
    header = msgspec.structs.replace(frame.header, count=1)
    return encode_frame(header, [mark], [line])


def _receipts(batch: BatchRows, fates: Fates) -> pa.Table:
    """Count the fates of each frame."""
    kinds, frames = len(Fate), len(batch.frames)
    cells = batch.frame_of * kinds + fates.fates
    counts = np.bincount(cells, minlength=frames * kinds).reshape(frames, kinds)
    headers = [frame.header for frame in batch.frames]
    return _receipt_rows(
        [(header.receipt, header.source) for header in headers],
        counts.sum(axis=1).astype(np.int64),
        counts.astype(np.int64),
    )


def _corrections(batch: BatchRows, fates: Fates) -> pa.Table:
    """Move replayed events from quarantined to what they are now; received stays as it was."""
    moved: Counter[tuple[tuple[str, str], int]] = Counter()
    for place, frame in enumerate(batch.frames):
        fate = int(fates.fates[place])
        if fate != Fate.QUARANTINED:
            moved[(frame.header.receipt, frame.header.source), fate] += 1
            moved[(frame.header.receipt, frame.header.source), Fate.QUARANTINED] -= 1
    names = sorted({name for name, _ in moved})
    counts = np.array([[moved[name, fate] for fate in Fate] for name in names], np.int64)
    counts = counts.reshape(len(names), len(Fate))
    return _receipt_rows(names, counts.sum(axis=1), counts)


def _receipt_rows(
    names: list[tuple[str, str]], received: NDArray[np.int64], counts: NDArray[np.int64]
) -> pa.Table:
    if (counts.sum(axis=1) != received).any():
        raise AssertionError("a receipt does not add up: an event has no fate, or two")
    columns = {
        "receipt": pa.array([receipt for receipt, _ in names], pa.string()),
        "source": pa.array([source for _, source in names], pa.string()),
        "received": pa.array(received),
    }
    for fate, name in enumerate(COUNTED):
        columns[name] = pa.array(np.ascontiguousarray(counts[:, fate]))
    return pa.table(columns)


def _outcome(batch: BatchRows, fates: Fates, place: int) -> Outcome:
    fate = Fate(int(fates.fates[place]))
    refusal = _refusal(batch, fates, place) if fate == Fate.QUARANTINED else None
    return Outcome(fates.replayed[place], fate, refusal)
