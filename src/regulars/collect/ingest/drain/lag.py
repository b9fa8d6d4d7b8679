"""Lag: what a running drain says about itself, for the console and for whoever waits."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from regulars.collect.ingest.batch import Follower
from regulars.collect.ingest.drain.fates import fates_folder, read_fates, sequences_in
from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    partitions_in,
    segment_file,
    segments_in,
    synced_in,
)

_NAME = "drain-"


@dataclass(frozen=True)
class Lag:
    """How a drain stands.

    Attributes:
        at: When it said so, microseconds since 1970 UTC.
        partitions: Partitions it drains.
        positions: Last batch tables and ledger hold, by partition.
        events_per_second: Events decided since it last said so, over the time between.
        backlog_bytes: Bytes of the log nobody decided on yet.
        lag_seconds: Seconds since the oldest event that tables lack was received; 0 without one.
        followers: Batches each follower lacks, by name.
        trouble: What keeps it from going on; empty when nothing does.
    """

    at: int
    partitions: list[int]
    positions: dict[str, int] = field(default_factory=dict)
    events_per_second: float = 0.0
    backlog_bytes: int = 0
    lag_seconds: float = 0.0
    followers: dict[str, int] = field(default_factory=dict)
    trouble: str = ""


def write_lag(workspace: Path, lag: Lag) -> None:
    """Leave word how a drain stands; readers find it whole or as it was before."""
    folder = workspace / "fates"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"{_NAME}{'-'.join(map(str, lag.partitions))}.json"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(lag)), "utf-8")
    draft.replace(path)


def read_lags(workspace: Path) -> list[Lag]:
    """Read how the drains of a workspace stand, or stood when they ended; empty before the first.

    Returns:
        One per drain process, by its partitions.
    """
    found = []
    for path in sorted((workspace / "fates").glob(f"{_NAME}*.json")):
        with suppress(OSError, ValueError, TypeError):
            found.append(Lag(**json.loads(path.read_text("utf-8"))))
    return found


def backlog(log: Path, partition: int, position: Position, *, upto: Position | None = None) -> int:
    """Count the bytes of a partition on disk that lie behind a position.

    Args:
        log: The log's folder.
        partition: The partition.
        position: Where the reader stands.
        upto: Count up to here; to the end of what is on disk when left out.

    Returns:
        Bytes; 0 when everything was read.
    """
    folder = partition_folder(log, partition)
    synced = upto or synced_in(folder)
    if synced is None or synced <= position:
        return 0
    total = 0
    for segment in segments_in(folder):
        if position.segment <= segment <= synced.segment:
            with suppress(FileNotFoundError):
                size = segment_file(folder, segment).stat().st_size
                end = synced.offset if segment == synced.segment else size
                total += end - (position.offset if segment == position.segment else 0)
    return total


class Passing:
    """Waits for a drain in another process to pass what is in the log at this moment.

    Args:
        workspace: The workspace folder.
        log_folder: Name of the log's folder in it.
    """

    def __init__(self, workspace: Path, log_folder: str) -> None:
        """Note where the log ends."""
        self._log = log = workspace / log_folder
        self._workspace = workspace
        self._ends = {
            partition: synced
            for partition in partitions_in(log)
            if (synced := synced_in(partition_folder(log, partition)))
        }
        self._needed: dict[int, int] = {}

    @property
    def not_followed(self) -> int:
        """Batches followers lacked when the drain last said how it stands."""
        return sum(sum(lag.followers.values()) for lag in read_lags(self._workspace))

    def is_followed(self, followers: Sequence[Follower]) -> bool:
        """Whether those who follow have taken in all that was in the log, once that is over."""
        return all(
            follower.position(partition) >= needed
            for follower in followers
            for partition, needed in self._needed.items()
        )

    def is_over(self) -> bool:
        """Whether tables and ledger hold everything that was in the log."""
        applied = {
            partition: sequence
            for lag in read_lags(self._workspace)
            for partition, sequence in lag.positions.items()
        }
        for partition, end in self._ends.items():
            if partition not in self._needed:
                folder = fates_folder(self._workspace, partition)
                newest = sequences_in(folder)[-1:]
                passed = read_fates(folder, newest[0]).end if newest else Position()
                if backlog(self._log, partition, passed, upto=end):
                    return False
                self._needed[partition] = newest[0] if newest else 0
            if applied.get(str(partition), 0) < self._needed[partition]:
                return False
        return True
