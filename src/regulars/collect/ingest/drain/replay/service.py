"""List refused events, ask for them to be decided again, and hand them to the drain."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.collect.ingest.drain.deciding import enveloped
from regulars.collect.ingest.drain.reading.batch_rows import PLAIN
from regulars.collect.ingest.drain.reading.lines import Normalise, read_object
from regulars.collect.ingest.log.frame import Frame, decode_frame, fingerprint, partition_of
from regulars.errors import InputError, Transient, UnknownName
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State

OPEN = "open"
MOST_AT_ONCE = 1000
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Asking:
    """Who asks for a replay.

    Attributes:
        actor: Their name.
        now: The moment, aware.
    """

    actor: str
    now: datetime

    @property
    def stamp(self) -> str:
        """The moment as text."""
        return self.now.astimezone(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Sealing:
    """How refused events are opened and closed.

    Attributes:
        seal: Encrypts.
        unseal: Decrypts what `seal` made.
    """

    seal: Callable[[bytes], str]
    unseal: Callable[[str], bytes]


def list_refused(
    lake: Lake,
    state: State,
    *,
    source: str | None = None,
    reason: str | None = None,
    status: str | None = OPEN,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """List refused events, newest first, without what they say.

    Args:
        lake: Where `refused_events` is.
        state: The workspace's state.
        source: Only of this source.
        reason: Only for this reason, by which they were last refused.
        status: Only with this status: open, requested, stored, duplicate, suppressed,
            dismissed; None for all.
        most: At most so many.

    Returns:
        Rows of `refused_events` without `raw`, with `status`; reason, path and detail are those
        of the last try.
    """
    with state.reading() as opened:
        known = {row["refused_id"]: row for row in opened.all(_SQL["all"])}
    found = []
    for row in _refused(lake, [("source", "=", source)] if source else None):
        last = known.get(row["refused_id"])
        row["status"] = last["status"] if last else OPEN
        if last and last["reason"]:
            row |= {name: last[name] for name in ("reason", "path", "detail")}
        if status in {None, row["status"]} and reason in {None, row["reason"]}:
            found.append(row)
    found.sort(key=lambda row: (row["received_at"], row["refused_id"]), reverse=True)
    return found[:most]


def request_replay(
    lake: Lake,
    state: State,
    asking: Asking,
    *,
    source: str | None = None,
    reason: str | None = None,
) -> list[str]:
    """Ask for open refused events to be decided again; the drain does it next.

    Args:
        lake: Where `refused_events` is.
        state: The workspace's state.
        asking: Who asks, and when.
        source: Only of this source.
        reason: Only for this reason.

    Returns:
        Ids of the events asked for; those replayed before, or dismissed, are not asked for
        again.
    """
    rows = [
        {
            "refused_id": row["refused_id"],
            "log_partition": row["log_partition"],
            "raw": None,
            "at": asking.stamp,
            "actor": asking.actor,
        }
        for row in list_refused(lake, state, source=source, reason=reason)
    ]
    with state.transaction() as opened:
        opened.many(_SQL["request"], rows)
    return [row["refused_id"] for row in rows]


def read_refused(lake: Lake, state: State, sealing: Sealing, refused_id: str) -> str:
    """Give a refused event as the client sent it, or as it was last mended.

    It may hold personal data in the clear: check the role of whoever looks, and write the
    audit log.

    Returns:
        One line of JSON, or whatever came in its place.

    Raises:
        UnknownName: There is no such refused event.
    """
    return _frame(lake, state, sealing, refused_id).lines[0].decode("utf-8", "replace")


def fix_and_replay(
    lake: Lake,
    state: State,
    sealing: Sealing,
    refused_id: str,
    line: str,
    *,
    asking: Asking,
    partitions: int,
    normalise: Normalise,
) -> None:
    """Put a mended line in place of a refused event and ask for it to be decided again.

    Args:
        lake: Where `refused_events` is.
        state: The workspace's state.
        sealing: How refused events are opened and closed.
        refused_id: The refused event.
        line: The event as it should have come, in the dialect it came in.
        asking: Who asks, and when.
        partitions: Partitions of the log.
        normalise: Puts an event of a dialect into Segment form.

    Raises:
        UnknownName: There is no such refused event.
        InputError: The mended line cannot be stored either, or the event is not open.
    """
    frame = _frame(lake, state, sealing, refused_id)
    header = frame.header
    event = read_object(line.encode("utf-8", "replace"))
    form = normalise(header.dialect, event)
    kept = form if header.dialect in PLAIN else event
    mark = fingerprint(header.source, str(form["messageId"]))
    row = {
        "refused_id": refused_id,
        "log_partition": partition_of(mark, partitions),
        "raw": sealing.seal(enveloped(frame, msgspec.json.encode(kept), mark)),
        "at": asking.stamp,
        "actor": asking.actor,
    }
    with state.transaction() as opened:
        if not opened.many(_SQL["request"], [row]):
            raise InputError(f"refused event {refused_id} is not open; it was replayed already")


def dismiss(lake: Lake, state: State, refused_id: str, *, asking: Asking) -> None:
    """Say that a refused event shall stay where it is.

    Raises:
        UnknownName: There is no such refused event.
        InputError: It is not open.
    """
    [row] = _rows_of(lake, [refused_id])
    values = {"refused_id": refused_id, "log_partition": row["log_partition"]}
    with state.transaction() as opened:
        if not opened.many(_SQL["dismiss"], [values | {"at": asking.stamp, "actor": asking.actor}]):
            raise InputError(f"refused event {refused_id} is not open")


def reopen(state: State, refused_id: str, *, asking: Asking) -> None:
    """Take a dismissal back: the event is open again.

    Raises:
        InputError: It was not dismissed.
    """
    values = {"refused_id": refused_id, "at": asking.stamp, "actor": asking.actor}
    with state.transaction() as opened:
        if not opened.run(_SQL["reopen"], **values):
            raise InputError(f"refused event {refused_id} was not dismissed")


def is_waiting(state: State) -> bool:
    """Say whether anything asked for was not decided again yet."""
    with state.reading() as opened:
        [found] = opened.all(_SQL["waiting_in_all"])
    return bool(found["events"])


def await_replays(state: State, *, seconds: float = 60.0) -> None:
    """Wait until everything asked for was decided again, by whichever process drains.

    Args:
        state: The workspace's state.
        seconds: How long to wait at most.

    Raises:
        Transient: It was not decided in time.
    """
    until = monotonic() + seconds
    while is_waiting(state):
        if monotonic() > until:
            raise Transient("no drain has taken up the replay; run: regulars collect drain")
        sleep(0.1)


def fates_of_replays(state: State, refused_ids: Collection[str]) -> dict[str, int]:
    """Count what came of refused events that were asked for.

    Args:
        state: The workspace's state.
        refused_ids: The events.

    Returns:
        Events by status: stored, duplicate, suppressed; open for those refused again.
    """
    wanted = set(refused_ids)
    with state.reading() as opened:
        rows = opened.all(_SQL["all"])
    return dict(Counter(row["status"] for row in rows if row["refused_id"] in wanted))


def requested(state: State, partition: int) -> list[str]:
    """List refused events of a partition that wait to be decided again."""
    with state.reading() as opened:
        rows = opened.all(_SQL["waiting"], log_partition=partition, most=MOST_AT_ONCE)
    return [row["refused_id"] for row in rows]


def frames_of(
    lake: Lake, state: State, unseal: Callable[[str], bytes], refused_ids: Sequence[str]
) -> list[Frame]:
    """Give refused events as frames of one event each, in the order of their ids."""
    with state.reading() as opened:
        mended = {row["refused_id"]: row["raw"] for row in opened.all(_SQL["all"]) if row["raw"]}
    missing = [one for one in refused_ids if one not in mended]
    raw = mended | {row["refused_id"]: row["raw"] for row in _rows_of(lake, missing)}
    return [decode_frame(unseal(raw[one])) for one in refused_ids]


def _frame(lake: Lake, state: State, sealing: Sealing, refused_id: str) -> Frame:
    [frame] = frames_of(lake, state, sealing.unseal, [refused_id])
    return frame


def _refused(lake: Lake, wanted: list[Any] | None) -> list[dict[str, Any]]:
    names = [name for name in lake.schema("refused_events").names if name != "raw"]
    return [
        row
        for path in lake.files("refused_events")
        for row in pq.read_table(path, columns=names, filters=wanted).to_pylist()
    ]


def _rows_of(lake: Lake, refused_ids: Sequence[str]) -> list[dict[str, Any]]:
    if not refused_ids:
        return []
    parts = [
        pq.read_table(path, filters=[("refused_id", "in", list(refused_ids))])
        for path in lake.files("refused_events")
    ]
    rows = pa.concat_tables(parts).to_pylist() if parts else []
    missing = sorted(set(refused_ids) - {row["refused_id"] for row in rows})
    if missing:
        raise UnknownName("refused event", missing[0], ())
    return rows
