"""Lag: what a running drain says about itself, for the console and for whoever waits."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
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


def backlog(log: Path, partition: int, position: Position) -> int:
    """Count the bytes of a partition on disk that lie behind a position.

    Args:
        log: The log's folder.
        partition: The partition.
        position: Where the reader stands.

    Returns:
        Bytes; 0 when everything was read.
    """
    folder = partition_folder(log, partition)
    synced = synced_in(folder)
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
