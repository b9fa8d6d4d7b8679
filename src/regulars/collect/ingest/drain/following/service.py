"""Hand batches to followers: from memory while they keep up, from the tables when they lag."""

import logging
import sys
from collections import deque
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.collect.ingest.batch import EventBatch, Follower
from regulars.collect.ingest.drain.following.pace import Pace
from regulars.ports.lake import Lake

_LOG = logging.getLogger(__name__)

MOST_HELD_BYTES = 64 << 20
BATCHES_AT_ONCE = 4


class Feeder:
    """Feeds followers.

    Args:
        lake: Where `events` is.
        followers: Who follows.
        clock: Gives seconds that never step back.
    """

    def __init__(
        self, lake: Lake, followers: Sequence[Follower], clock: Callable[[], float]
    ) -> None:
        """Hold nothing yet."""
        self._lake, self._followers, self._clock = lake, followers, clock
        self.pace = Pace()
        self._held: deque[EventBatch] = deque()
        self._held_bytes = 0
        self._decided: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self._failing: set[str] = set()
        self._ranges: dict[str, tuple[int, int]] = {}

    def offer(self, batch: EventBatch) -> None:
        """Take a batch whose fates are committed."""
        self._decided[batch.partition] = batch.sequence
        if not self._followers:
            return
        self._held.append(batch)
        self._held_bytes += batch.rows.nbytes
        while self._held_bytes > MOST_HELD_BYTES and len(self._held) > 1:
            # Whoever has not seen it reads it from the tables.
            self._held_bytes -= self._held.popleft().rows.nbytes

    def written(self, partition: int, sequence: int) -> None:
        """Know up to which batch the tables hold a partition."""
        self._written[partition] = sequence
        self._decided[partition] = max(sequence, self._decided.get(partition, 0))

    def feed(self, seconds: float | None = None) -> bool:
        """Hand over what followers lack, oldest batches first, partitions by turns.

        A follower that fails is told of in the log and tried again by the next call; others
        are not held up.

        Args:
            seconds: Stop after this long; None to go on until nobody lacks anything.

        Returns:
            True when nobody lacks anything that could be handed over.
        """
        until = None if seconds is None else self._clock() + seconds
        open_ends = [
            (follower, partition)
            for partition in sorted(self._decided)
            for follower in self._followers
        ]
        while open_ends:
            kept = []
            for follower, partition in open_ends:
                if until is not None and self._clock() >= until:
                    return False
                if self._advance(follower, partition):
                    kept.append((follower, partition))
            open_ends = kept
        self._release()
        return not self._failing

    def lag(self) -> dict[str, int]:
        """Count the batches each follower lacks, by name."""
        return {
            follower.name: sum(
                max(0, decided - follower.position(partition))
                for partition, decided in self._decided.items()
            )
            for follower in self._followers
        }

    def _release(self) -> None:
        """Let go of batches everybody has seen."""
        if not self._held:
            return
        seen = {
            partition: min(follower.position(partition) for follower in self._followers)
            for partition in self._decided
        }
        self._held = deque(one for one in self._held if one.sequence > seen[one.partition])
        self._held_bytes = sum(one.rows.nbytes for one in self._held)

    def _advance(self, follower: Follower, partition: int) -> bool:
        """Hand over the next batches; True when there may be more."""
        try:
            done = follower.position(partition)
            batches = self._after(partition, done)
            for batch in batches:
                began = self._clock()
                follower.follow(batch)
                self.pace.followed(follower.name, batch.rows.num_rows, self._clock() - began)
        except Exception:
            # Whatever a follower does, events are stored.
            if follower.name not in self._failing:
                _LOG.exception("follower %s failed; it is tried again", follower.name)
            self._failing.add(follower.name)
            return False
        if batches and follower.name in self._failing:
            _LOG.warning("follower %s goes on", follower.name)
            self._failing.discard(follower.name)
        return bool(batches)

    def _after(self, partition: int, sequence: int) -> list[EventBatch]:
        if sequence >= self._decided.get(partition, 0):
            return []
        for batch in self._held:
            if batch.partition == partition and batch.sequence == sequence + 1:
                return [batch]
        last = min(self._written.get(partition, 0), sequence + BATCHES_AT_ONCE)
        return self._read(partition, sequence + 1, last) if last > sequence else []

    def _read(self, partition: int, first: int, last: int) -> list[EventBatch]:
        """Read batches from the tables; one that stored nothing has no rows."""
        wanted = [
            ("log_partition", "=", partition),
            ("log_sequence", ">=", first),
            ("log_sequence", "<=", last),
        ]
        schema, files = self._lake.schema("events"), self._lake.files("events")
        self._ranges = {path: self._ranges.get(path) or _range_of(path) for path in files}
        parts = [
            pq.read_table(path, filters=wanted).cast(schema)
            for path, (low, high) in self._ranges.items()
            if low <= last and first <= high
        ]
        rows = pa.concat_tables(parts) if parts else schema.empty_table()
        numbers = rows["log_sequence"].to_numpy()
        return [
            EventBatch(partition, number, rows.filter(pa.array(numbers == number)))
            for number in range(first, last + 1)
        ]


def _range_of(path: str) -> tuple[int, int]:
    """Give the least and greatest batch in a file by the file's own statistics."""
    footer = pq.read_metadata(path)
    at = footer.schema.names.index("log_sequence")
    found = [footer.row_group(n).column(at).statistics for n in range(footer.num_row_groups)]
    if any(one is None or not one.has_min_max for one in found):
        return 0, sys.maxsize
    return min(one.min for one in found), max(one.max for one in found)
