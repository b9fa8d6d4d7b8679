"""The drain: log to fates to tables, ledger and followers; each event once, whatever happens."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, thread_time

from regulars.collect.ingest.batch import Follower
from regulars.collect.ingest.drain.following.service import Feeder
from regulars.collect.ingest.drain.lag import Lag, write_lag
from regulars.collect.ingest.drain.partition import Inside, Outside, PartitionDrain
from regulars.collect.ingest.drain.tables.service import EventTables
from regulars.errors import NotReady, OutsideError
from regulars.settings import Drain as DrainSettings

_LOG = logging.getLogger(__name__)

CALMEST_SECONDS = 1.0
FIRST_PATIENCE_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
SAY_SECONDS = 1.0
HASTE_BYTES = 4 << 20
"""Log waiting from which the drain goes on without a pause."""
FEW_BATCHES = 4
"""Batches of log waiting above which followers get only a share of the time."""
FOLLOWED_SHARE = 0.1
"""Their share then, and while events come faster than followers could take them in."""


class Drain:
    """The drain of a workspace, or of some of its partitions.

    Args:
        outside: What it writes to.
        inside: What events pass.
        settings: How it works.
        followers: Who is fed with stored events.
        partitions: Partitions of the log it drains.
    """

    def __init__(
        self,
        outside: Outside,
        inside: Inside,
        settings: DrainSettings,
        *,
        followers: Sequence[Follower] = (),
        partitions: Iterable[int],
    ) -> None:
        """Open the partitions.

        Raises:
            NotReady: Another process drains one of them.
            OutsideError: Something cannot be read or written.
        """
        self._outside, self.settings = outside, settings
        self.batch_bytes = settings.batch_mb << 20
        self._tables = EventTables(outside.lake)
        self._feeder = Feeder(outside.lake, followers, monotonic)
        self._parts: list[PartitionDrain] = []
        # One thread writes while this one decides: writing waits for the disk most of the time.
        self._threads = ThreadPoolExecutor(1, "drain-tables")
        self._tidiers = ThreadPoolExecutor(1, "drain-tidy")
        self._tidying: Future[None] | None = None
        self._said = self._began = monotonic()
        self._events = 0
        try:
            for partition in sorted(partitions):
                self._parts.append(
                    PartitionDrain(outside, inside, partition, self._tables, self._feeder)
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let other processes drain, once what is being written is written or failed."""
        self._threads.shutdown()
        self._tidiers.shutdown()
        for part in self._parts:
            part.close()

    def cycle(self) -> int:
        """Decide one batch per partition, and write what is due.

        Returns:
            Events decided; 0 when nothing waited.
        """
        events = 0
        began, used = monotonic(), thread_time()
        for part in self._parts:
            decided = part.advance(self.batch_bytes) or part.replay()
            if decided:
                events += len(decided.fates.fates)
            if part.is_due(self.settings.commit_ms / 1000):
                part.begin(self._threads)
            part.settle(wait=False)
        self._events += events
        self._feeder.pace.decided(
            events,
            deciding=monotonic() - began,
            used=thread_time() - used,
            passed=began - self._began,
        )
        self._began = began
        return events

    def feed(self, seconds: float | None = None) -> bool:
        """Hand stored events to followers; True when none lacks any."""
        return self._feeder.feed(seconds)

    def apply(self) -> None:
        """Write everything decided, however little."""
        for part in self._parts:
            part.apply()

    def tidy(self, *, is_busy: bool) -> None:
        """Begin to join small files, as far as it is time; it goes on beside everything else.

        Args:
            is_busy: True while more events wait.
        """
        if self._tidying is not None and self._tidying.done():
            error = self._tidying.exception()
            if error is not None:
                _LOG.warning("tidying is put off: %s", error)
            self._tidying = None
        if self._tidying is None:
            self._tidying = self._tidiers.submit(self._tables.tidy, is_busy=is_busy)

    def say(self, now: int, trouble: str = "", *, at_once: bool = False) -> None:
        """Leave word how the drain stands, about once a second.

        Args:
            now: Microseconds since 1970 UTC.
            trouble: What keeps it from going on.
            at_once: Say it even if something was said just now.
        """
        passed = monotonic() - self._said
        if passed < SAY_SECONDS and not at_once:
            return
        oldest = [part.oldest for part in self._parts if part.oldest is not None]
        lag = Lag(
            at=now,
            partitions=[part.partition for part in self._parts],
            positions={str(part.partition): part.applied for part in self._parts},
            events_per_second=round(self._events / passed, 1) if passed else 0.0,
            backlog_bytes=sum(part.backlog for part in self._parts),
            lag_seconds=max(0, now - min(oldest)) / 1e6 if oldest else 0.0,
            followers=self._feeder.lag(),
            trouble=trouble,
        )
        write_lag(self._outside.folder, lag)
        self._said, self._events = monotonic(), 0

    @property
    def is_behind(self) -> bool:
        """Whether followers get only a share of the time, because others need it."""
        return self.backlog > FEW_BATCHES * self.batch_bytes or self._feeder.pace.is_outrun

    @property
    def not_followed(self) -> int:
        """Batches followers lack, over all followers."""
        return sum(self._feeder.lag().values())

    @property
    def backlog(self) -> int:
        """Bytes of the log nobody decided on yet."""
        return sum(part.backlog for part in self._parts)


def drain_once(drain: Drain) -> dict[str, int]:
    """Drain everything that is in the log, write it and feed the followers.

    Args:
        drain: The open drain.

    Returns:
        Events decided by this call, batches followers still lack because one of them failed.

    Raises:
        OutsideError: Something cannot be read or written; the same call is safe to repeat.
        OSError: The disk is full or read-only; likewise.
    """
    decided = 0
    while events := drain.cycle():
        decided += events
    drain.apply()
    drain.feed()
    drain.tidy(is_busy=False)
    return {"events": decided, "not_followed": drain.not_followed}


def run_forever(
    opened: Callable[[], Drain], *, stop: threading.Event, now: Callable[[], int]
) -> None:
    """Drain until told to stop; whatever goes wrong outside is waited for.

    Args:
        opened: Opens the drain; called again after an error, because what was half done is then
            worked out from what is on disk.
        stop: Set it to end after the current batch.
        now: Gives microseconds since 1970 UTC.
    """
    wait = FIRST_PATIENCE_SECONDS
    while not stop.is_set():
        try:
            drain = opened()
        except (OutsideError, OSError, NotReady) as error:
            _LOG.warning("the drain cannot start: %s; tried again in %.0f s", error, wait)
            stop.wait(wait)
            wait = min(2 * wait, PATIENCE_SECONDS)
            continue
        trouble = ""
        try:
            _run(drain, stop, now)
            drain.apply()
        except (OutsideError, OSError) as error:
            trouble = str(error)
            _LOG.warning("the drain stands still: %s; tried again in %.0f s", error, wait)
        except Exception as error:
            # A bug of ours must not end the drain of other workspaces in this process.
            trouble = f"{type(error).__name__}: {error}"
            _LOG.exception("the drain broke; tried again in %.0f s", wait)
        finally:
            _say_quietly(drain, now(), trouble)
            drain.close()
        if trouble:
            stop.wait(wait)
            wait = min(2 * wait, PATIENCE_SECONDS)


def _run(drain: Drain, stop: threading.Event, now: Callable[[], int]) -> None:
    settings = drain.settings
    least = pause = settings.every_ms / 1000
    most_followed, credit = settings.follow_ms / 1000, 0.0
    while not stop.is_set():
        began = monotonic()
        events = drain.cycle()
        waiting = drain.backlog
        is_behind = drain.is_behind
        decided_at = monotonic()
        credit = min(most_followed, credit + FOLLOWED_SHARE * (decided_at - began))
        is_fed = drain.feed(most_followed if not is_behind else credit)
        credit = credit - (monotonic() - decided_at) if is_behind else 0.0
        drain.tidy(is_busy=waiting > HASTE_BYTES)
        drain.say(now())
        if waiting > HASTE_BYTES:
            continue
        # While nothing comes, look less and less often, but never so seldom that one waits.
        is_calm = not events and is_fed
        pause = min(pause * 1.5, max(least, CALMEST_SECONDS)) if is_calm else least
        stop.wait(pause)


def _say_quietly(drain: Drain, now: int, trouble: str) -> None:
    try:
        drain.say(now, trouble, at_once=True)
    except OSError as error:
        _LOG.warning("cannot say how the drain stands: %s", error)
