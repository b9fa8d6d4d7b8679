"""The log of online decisions: answered first, on disk soon; exposures only of what is there."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import FINGERPRINT_BYTES, Header, encode_frame
from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    read_stretch,
    segments_in,
)
from regulars.collect.ingest.log.writer import LogWriter

FOLDER = "decisions"
_MARK = bytes(FINGERPRINT_BYTES)
_KNOWN = 2_000_000
PAUSE_SECONDS = 0.005
"""After a sync; what comes in meanwhile is written together, not one by one."""


class DecisionLog:
    """Keeps decisions and exposures in order, each in a frame with a checksum.

    What is handed in is written and synced by a thread of its own; whatever comes in while the
    disk is busy, and 5 ms beyond, is synced together next. So a crash loses what was handed in
    during two syncs and those 5 ms at most. An exposure is only taken of a decision on disk.

    Args:
        folder: The workspace's folder.
        disk: How to touch the disk.
        told: Told every row the log holds when it is opened, oldest first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        disk: Disk | None = None,
        told: Callable[[dict[str, Any]], None] = lambda _row: None,
    ) -> None:
        """Open the log and read the names of the decisions it holds.

        Raises:
            NotReady: Another process writes to it.
            OSError: The disk is full or read-only.
        """
        self._folder = folder / FOLDER
        self._settling = threading.Condition()
        self._waiting = 0
        self._on_disk: dict[str, None] = {}
        self._handed_in: set[str] = set()
        self._exposed: set[str] = set()
        self._responses: dict[str, set[str]] = {}
        self._answered: dict[tuple[str, str], None] = {}
        self.failures = 0
        self._writer = LogWriter(self._folder, self._settled, partitions=1, disk=disk)
        try:
            for row in rows_in(self._folder):
                self._remember(row)
                told(row)
        except BaseException:
            self._writer.close()
            raise

    def decided(self, decision_id: str, line: bytes) -> None:
        """Hand a decision in, and go on; one that was handed in before is not logged again."""
        with self._settling:
            if decision_id in self._on_disk or decision_id in self._handed_in:
                return
            self._handed_in.add(decision_id)
        self._append(decision_id, line)

    def knows(self, decision_id: str) -> bool:
        """Say whether a decision was handed in, on disk or not."""
        with self._settling:
            return decision_id in self._on_disk or decision_id in self._handed_in

    def exposed(self, decision_id: str, *, at: str) -> bool:
        """Note that a customer saw what was decided.

        Args:
            decision_id: The decision.
            at: The moment, ISO 8601.

        Returns:
            False when the decision is not on disk, or was noted as seen already: it does not
            count.
        """
        with self._settling:
            if decision_id not in self._on_disk or decision_id in self._exposed:
                return False
            self._exposed.add(decision_id)
        self._append("", msgspec.json.encode({"exposed": decision_id, "at": at}))
        return True

    def responded(self, decision_id: str, kind: str, *, at: str, asked: str = "") -> bool:
        """Note what a customer did with what was decided.

        Args:
            decision_id: The decision.
            kind: "clicked" or "dismissed".
            at: The moment, ISO 8601.
            asked: Who asked for what, so that it is known whatever is decided anew; "" for none.

        Returns:
            False when nobody saw the decision, or this was noted already: it does not count.
        """
        with self._settling:
            done = self._responses.setdefault(decision_id, set())
            if decision_id not in self._exposed or kind in done:
                return False
            done.add(kind)
            self._note_answer(asked, kind)
        line = {"responded": decision_id, "kind": kind, "at": at}
        if asked:
            line["asked"] = asked
        self._append("", msgspec.json.encode(line))
        return True

    def has_responded(self, asked: str, kind: str) -> bool:
        """Say whether this was done with any decision on what was asked.

        Args:
            asked: Who asked for what, as `responded` was given it.
            kind: "clicked" or "dismissed".

        Returns:
            True when it was, in an earlier process too; the last two million are known.
        """
        with self._settling:
            return (asked, kind) in self._answered

    def holds(self, decision_id: str) -> bool:
        """Say whether a decision is on disk."""
        with self._settling:
            return decision_id in self._on_disk

    def flush(self) -> None:
        """Wait until all that was handed in is on disk, or could not be written."""
        with self._settling:
            self._settling.wait_for(lambda: self._waiting == 0)

    def close(self) -> None:
        """Write what waits and close the files."""
        self._writer.close()

    def _append(self, decision_id: str, line: bytes) -> None:
        header = Header(
            receipt=decision_id,
            source=FOLDER,
            dialect="native",
            received_at=0,
            sent_at=None,
            count=1,
        )
        with self._settling:
            self._waiting += 1
        self._writer.append([(0, encode_frame(header, [_MARK], [line]), decision_id)])

    def _settled(self, decision_ids: list[Any], failed: OSError | None) -> None:
        with self._settling:
            self._waiting -= len(decision_ids)
            self._handed_in.difference_update(decision_ids)
            if failed is None:
                for decision_id in filter(None, decision_ids):
                    self._know(decision_id)
            else:
                self.failures += len(decision_ids)
            self._settling.notify_all()
        # In the writing thread: waking it for each decision would cost as much as deciding.
        time.sleep(PAUSE_SECONDS)

    def _remember(self, row: dict[str, Any]) -> None:
        if "exposed" in row:
            self._exposed.add(row["exposed"])
        elif "responded" in row:
            self._responses.setdefault(row["responded"], set()).add(row["kind"])
            self._note_answer(row.get("asked", ""), row["kind"])
        else:
            self._know(row["decision_id"])

    def _note_answer(self, asked: str, kind: str) -> None:
        if asked:
            self._answered[asked, kind] = None
            if len(self._answered) > _KNOWN:
                del self._answered[next(iter(self._answered))]

    def _know(self, decision_id: str) -> None:
        self._on_disk[decision_id] = None
        if len(self._on_disk) > _KNOWN:
            oldest = next(iter(self._on_disk))
            del self._on_disk[oldest]
            self._exposed.discard(oldest)
            self._responses.pop(oldest, None)


def rows_in(log: Path, *, after: int = 0) -> Iterator[dict[str, Any]]:
    """Read decisions and exposures that are on disk, oldest first.

    Args:
        log: The folder of the log.
        after: Rows to leave out at the beginning.

    Yields:
        One mapping per row: a decision, the id of one that was exposed, or what was done with it.
    """
    folder = partition_folder(log, 0)
    known = segments_in(folder) if folder.is_dir() else []
    begun = [segment for segment in known if segment <= after]
    here = Position(max(begun)) if begun else Position()
    skipped = after - (here.segment if begun else 0)
    while known:
        stretch = read_stretch(folder, here)
        for frame in stretch.frames:
            if skipped > 0:
                skipped -= 1
            else:
                yield msgspec.json.decode(frame.lines[0])
        if not stretch.frames and stretch.end == here:
            return
        here = stretch.end
