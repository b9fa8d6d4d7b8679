"""Take requests into the log of a workspace: what is acknowledged here is on disk."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import (
    EVENT_LIMIT,
    Header,
    encode_frame,
    fingerprints,
    partition_of,
)
from regulars.collect.ingest.log.reader import bytes_in
from regulars.collect.ingest.log.writer import LogWriter
from regulars.collect.tracking import Parsed
from regulars.errors import Transient
from regulars.settings import Ingest

RECENT_IDS = 1 << 16
LOG_FOLDER = "log"


class Busy(Transient):
    """Not taken, and not lost: the client is to send it again.

    Args:
        code: Slug a program may act on: "busy", "backlog_full", "disk_unavailable", "closing".
        message: Why, and what helps.
        status: 429 when waiting helps, 503 when somebody must see to the disk.
        retry_after: Seconds to wait, 1 to 300.
    """

    def __init__(self, code: str, message: str, *, status: int, retry_after: int) -> None:
        """Keep the parts, so that the answer can carry them."""
        self.code, self.message, self.status, self.retry_after = code, message, status, retry_after
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True, slots=True)
class Ack:
    """A request whose events are on disk.

    Attributes:
        receipt: The request in the ledger; "" when it held no event.
        accepted: Events of it.
        duplicates: Events of these sent before, as far as known on arrival.
        quarantined: Events of these that cannot be stored, as far as known on arrival.
    """

    receipt: str
    accepted: int
    duplicates: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request.

    Attributes:
        source: The source of its write key.
        agent: Its User-Agent, "" when it gave none.
        ip: Its network address; None when not kept.
    """

    source: str
    agent: str = ""
    ip: str | None = None


# Told once: the acknowledgement, or why there is none.
Done = Callable[[Ack | Busy], None]
Post = Callable[..., Any]


@dataclass(slots=True)
class _Pending:
    """A request some of whose frames are not on disk yet."""

    ack: Ack
    done: Done
    marks: list[bytes]
    size: int
    left: int = 0
    failed: OSError | None = None


class Intake:
    """The way into one workspace's log. Used by one thread; told of commits through `post`.

    Args:
        folder: The workspace folder; the log is in it.
        settings: Limits and shape.
        clock: Gives microseconds since 1970 UTC; may step back.
        post: Calls a function with arguments in the thread that uses the intake, soon; may be
            called from any thread.
        soon: The same, called from that thread only, so that requests read together are
            written together; when left out each is written at once.
        disk: How to touch the disk.
    """

    def __init__(
        self,
        folder: Path,
        settings: Ingest,
        *,
        clock: Callable[[], int],
        post: Post,
        soon: Post | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Open the log.

        Raises:
            NotReady: Another process takes events for this workspace.
            OSError: The disk is full or read-only.
        """
        self._log, self._settings, self._clock = folder / LOG_FOLDER, settings, clock
        self._post, self._soon = post, soon
        self._writer = LogWriter(
            self._log,
            self._on_settled,
            partitions=settings.partitions,
            segment_bytes=settings.segment_mb << 20,
            disk=disk,
        )
        self._is_closed = False
        self._gathered: list[tuple[int, bytes, _Pending]] = []
        self._waiting = 0
        self._backlog = 0
        self._receipts = _Receipts()
        self._recent: tuple[set[bytes], set[bytes]] = (set(), set())
        self.refresh()

    def refresh(self) -> None:
        """Look again how much log waits for the drain; to be called about once a second."""
        self._backlog = bytes_in(self._log)

    def take(self, parsed: Parsed, sender: Sender, done: Done) -> None:
        """Take a request in.

        Args:
            parsed: Its events.
            sender: Who sent it.
            done: Told once all of it is on disk, or could not be written.

        Raises:
            Busy: There is no room for it now; `done` is not told.
        """
        if not parsed.lines:
            done(Ack("", 0))
            return
        size = sum(map(len, parsed.lines))
        self._check_room(size)
        now = self._clock()
        marks = fingerprints(sender.source, parsed.message_ids)
        ack = Ack(self._receipts.next(now), len(marks), self._known(marks), _unfit(parsed.lines))
        pending = _Pending(ack, done, marks, size)
        frames = self._frames(parsed, sender, now, pending)
        self._waiting += size
        if self._soon is not None and not self._gathered:
            self._soon(self._hand_over)
        for partition, frame in frames:
            pending.left += 1
            self._backlog += len(frame)
            self._gathered.append((partition, frame, pending))
        if self._soon is None:
            self._hand_over()

    def close(self) -> None:
        """Write what waits and let go of the log; requests still waiting are told."""
        self._is_closed = True
        self._hand_over()
        self._writer.close()

    def _hand_over(self) -> None:
        """Give the writing threads what was gathered since the last time."""
        gathered, self._gathered = self._gathered, []
        self._writer.append(gathered)

    def _check_room(self, size: int) -> None:
        if self._is_closed:
            raise Busy(
                "closing", "the server is ending; send it again later", status=503, retry_after=5
            )
        if self._waiting + size > self._settings.waiting_mb << 20:
            raise Busy(
                "busy",
                "too much waits to be written; send it again later",
                status=429,
                retry_after=1,
            )
        if self._backlog + size > self._settings.backlog_mb << 20:
            raise Busy(
                "backlog_full",
                "too many events wait to be stored; send it again later "
                "(is the drain running? see: regulars collect ledger)",
                status=429,
                retry_after=10,
            )

    def _frames(
        self, parsed: Parsed, sender: Sender, now: int, pending: _Pending
    ) -> list[tuple[int, bytes]]:
        marks, count = pending.marks, self._writer.partitions
        homes = [partition_of(mark, count) for mark in marks]
        sent_at = parsed.sent_at
        frames = []
        for partition in sorted(set(homes)):
            is_here = [home == partition for home in homes]
            mine = list(compress(marks, is_here))
            header = Header(
                receipt=pending.ack.receipt,
                source=sender.source,
                dialect=parsed.dialect,
                received_at=now,
                sent_at=None if sent_at is None else round(sent_at.timestamp() * 1_000_000),
                count=len(mine),
                agent=sender.agent,
                ip=sender.ip if self._settings.keep_addresses else None,
            )
            frame = encode_frame(header, mine, list(compress(parsed.lines, is_here)))
            frames.append((partition, frame))
        return frames

    def _known(self, marks: list[bytes]) -> int:
        """Count ids seen before in this request or lately; for information only."""
        young, old = self._recent
        distinct = set(marks)
        known = len(distinct & young) + len((distinct - young) & old)
        return known + len(marks) - len(distinct)

    def _on_settled(self, group: list[_Pending], failed: OSError | None) -> None:
        """Hand over from a writing thread."""
        self._post(self._settle, group, failed)

    def _settle(self, group: list[_Pending], failed: OSError | None) -> None:
        for pending in group:
            pending.left -= 1
            pending.failed = pending.failed or failed
            if not pending.left:
                self._finish(pending)

    def _finish(self, pending: _Pending) -> None:
        self._waiting -= pending.size
        if pending.failed is not None:
            reason = pending.failed.strerror or str(pending.failed)
            pending.done(
                Busy(
                    "disk_unavailable",
                    f"events cannot be written to disk now ({reason}); send it again later",
                    status=503,
                    retry_after=5,
                )
            )
            return
        young, _ = self._recent
        if len(young) >= RECENT_IDS:
            self._recent = (set(), young)
        self._recent[0].update(pending.marks)
        pending.done(pending.ack)


class _Receipts:
    """Names requests: no two alike, over restarts and processes, whatever the clock does."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(6)
        self._count = 0

    def next(self, now: int) -> str:
        """Give 32 hexadecimal digits that sort by time: milliseconds, count, process."""
        self._count += 1
        return f"{now // 1000:012x}{self._count & 0xFFFFFFFF:08x}{self._process}"


def _unfit(lines: list[bytes]) -> int:
    """Count lines of which it is plain already that they cannot be stored."""
    unfit = [line for line in lines if not line.startswith(b"{") or len(line) > EVENT_LIMIT]
    return len(unfit)
