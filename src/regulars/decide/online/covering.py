"""Decisions on disk whose customer was erased: covered where they are, nothing moves."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from regulars.collect.ingest.log.frame import TornFrame, decode_frame, encode_frame
from regulars.collect.ingest.log.reader import partition_folder, segment_file, segments_in
from regulars.decide.online.log import FOLDER

ERASED = "erased"
_EMPTIED = ("features", "candidates", "ruled_out")


class DecisionKeeper:
    """The log of online decisions, as requests about one's own data see it.

    A covered decision is as long as it was, so whoever appends to the log, or reads it, finds
    everything else where it was.

    Args:
        folder: The workspace's folder.
    """

    name = "decisions.log"

    def __init__(self, folder: Path) -> None:
        """Remember where; nothing is read yet."""
        self._folder = partition_folder(folder / FOLDER, 0)

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give every decision about one of these ids."""
        known = frozenset(ids)
        found = (row for _, _, row, _ in self._frames())
        return [row for row in found if row.get("customer_id") in known]

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Put names in place of these ids, and empty what the decisions looked at."""
        for path, offset, row, data in self._frames():
            if row.get("customer_id") in name_by_id:
                _overwrite(path, offset, _covered(data, row, name_by_id[row["customer_id"]]))

    def _frames(self) -> Iterator[tuple[Path, int, dict[str, Any], bytes]]:
        for segment in segments_in(self._folder):
            path = segment_file(self._folder, segment)
            data, offset = path.read_bytes(), 0
            while offset < len(data):
                try:
                    frame = decode_frame(data, offset)
                except TornFrame:  # being written
                    break
                yield (
                    path,
                    offset,
                    msgspec.json.decode(frame.lines[0]),
                    data[offset : frame.end],
                )
                offset = frame.end


def _covered(data: bytes, row: Mapping[str, Any], name: str) -> bytes:
    """Write a frame again, just as long."""
    frame = decode_frame(data)
    room = len(frame.lines[0])
    emptied = {key: type(row[key])() for key in _EMPTIED if key in row}
    line = msgspec.json.encode({**row, **emptied, "customer_id": name})
    if len(line) > room:
        line = msgspec.json.encode({**row, **emptied, "customer_id": ERASED})
    if len(line) > room:
        line = msgspec.json.encode({**row, **emptied, "customer_id": ""})
    return encode_frame(frame.header, [frame.fingerprints], [line.ljust(room)])


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(handle, data, offset)
        os.fsync(handle)
    finally:
        os.close(handle)
