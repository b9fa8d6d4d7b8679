"""The lake as Delta tables in a folder, by `deltalake`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError

from regulars.adapters.arrow_types import arrow_schema
from regulars.adapters.delta_rewriting import change_rows, delete_rows, forget_past
from regulars.errors import Permanent, Transient, UnknownName
from regulars.ports.lake import Where
from regulars.records import EVENTS, GROWN, TABLES

_ROOM_BYTES = 1 << 17
# Tables that get commits all day: they keep little of their past, and no statistics of texts.
_STREAMS = frozenset(table.name for table in EVENTS)
_STREAM_PROPERTIES = {
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
    "delta.dataSkippingStatsColumns": "source,receipt,received_at,log_partition,log_sequence",
}
_TEXTS = ("payload", "raw", "message_id")
_STREAM_WRITING = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    column_properties=dict.fromkeys(
        _TEXTS, ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
    ),
)
# An engine reads row groups side by side, one thread each; a million rows in one keep one busy.
_WRITING = WriterProperties(compression="SNAPPY", max_row_group_size=122_880)


class DeltaLake:
    """Declared tables under one folder.

    Args:
        folder: Folder of the lake; each table is a folder in it.
    """

    def __init__(self, folder: Path) -> None:
        """Remember the folder; nothing is opened yet."""
        self._folder = folder
        self._kept: dict[str, DeltaTable] = {}
        self._synced: set[str] = set()

    def schema(self, name: str, /) -> pa.Schema:  # noqa: PLR6301 - part of the port
        """Give the Arrow schema of a declared table."""
        if name not in TABLES:
            raise UnknownName("table", name, TABLES)
        return arrow_schema(TABLES[name])

    def files(self, name: str, /, *, before: str = "") -> list[str]:
        """Name the Parquet files that hold the table, or held it before an application's commit."""
        opened = self._open(name)
        if opened and before:
            commits = [c for c in opened.history() if c.get("application") == before]
            if commits:
                earlier = min(commit["version"] for commit in commits) - 1
                if earlier < 0:
                    return []
                opened.load_as_version(earlier)
        return sorted(opened.file_uris()) if opened else []

    def committed(self, name: str, application: str, /) -> int | None:
        """Give the last version an application committed to a table, or None."""
        opened = self._current(name)
        return opened.transaction_version(application) if opened else None

    def append(
        self,
        name: str,
        rows: Iterable[pa.RecordBatch] | pa.Table,
        /,
        *,
        application: str,
        version: int = 1,
    ) -> bool:
        """Add rows once; False when this application has committed this version or a later one."""
        committed = self.committed(name, application)
        if committed is not None and committed >= version:
            return False
        self._write(name, rows, application, version)
        return True

    def overwrite_turn(self, name: str, rows: pa.Table, /, *, application: str, turn: int) -> None:
        """Replace the rows of one turn with these, in one commit."""
        exists = self._open(name) is not None
        self._write(name, rows, application, turn, f"turn = {turn}" if exists else None)

    def compact(self, name: str, /) -> None:
        """Rewrite many small files as few; the rows stay the same."""
        opened = self._open(name)
        if opened:
            opened.optimize.compact()

    def tidy(self, name: str, /, *, file_mb: int, keep_hours: int) -> None:
        """Compact to files of about this size, and delete what was superseded longer ago."""
        opened = self._open(name)
        if not opened:
            return
        try:
            opened.optimize.compact(target_size=file_mb << 20, max_concurrent_tasks=1)
            opened.create_checkpoint()
            opened.vacuum(keep_hours, dry_run=False, enforce_retention_duration=False)
            opened.cleanup_metadata()
        except (DeltaError, OSError) as error:
            raise Transient(f"cannot tidy table {name} in {self._folder}: {error}") from error

    def sync(self, name: str, /) -> None:
        """Return once everything committed to a table is on disk."""
        seen: set[str] = set()
        for folder in (self._path(name), self._path(name) / "_delta_log"):
            if not folder.is_dir():
                continue
            for entry in os.scandir(folder):
                if not entry.is_file():
                    continue
                seen.add(entry.path)
                # Files are written once, but for the note of the last checkpoint.
                if entry.path not in self._synced or entry.name.startswith("_"):
                    _sync(entry.path)
            _sync(str(folder))
        self._synced = {one for one in self._synced if not one.startswith(f"{self._path(name)}/")}
        self._synced |= seen

    def rewrite(
        self,
        name: str,
        where: Where,
        /,
        *,
        renamed: Mapping[str, Mapping[str, str]] | None,
        emptied: Sequence[str] = (),
    ) -> int:
        """Delete rows, or put other texts in place, in one commit; gives how many."""
        opened = self._open(name)
        if not opened or not where:
            return 0
        self._kept.pop(name, None)
        folder = self._path(name)
        if renamed is None:
            return delete_rows(opened, folder, where)
        return change_rows(opened, folder, TABLES[name], where, renamed, emptied)

    def purge(self, name: str, /) -> None:
        """Delete what rows were before: superseded files, and commits that tell of them."""
        opened = self._open(name)
        if opened:
            self._kept.pop(name, None)
            forget_past(opened, self._path(name))

    def _current(self, name: str) -> DeltaTable | None:
        """Give the table as it stands now, kept open so that a long history is not read again."""
        kept = self._kept.get(name)
        try:
            if kept is not None:
                kept.update_incremental()
                return kept
        except DeltaError:
            # Its log was tidied away under us.
            del self._kept[name]
        opened = self._open(name)
        if opened is not None:
            self._kept[name] = opened
        return opened

    def _open(self, name: str) -> DeltaTable | None:
        path = self._path(name)
        return DeltaTable(str(path)) if DeltaTable.is_deltatable(str(path)) else None

    def _path(self, name: str) -> Path:
        if name not in TABLES:
            raise UnknownName("table", name, TABLES)
        return self._folder / name

    def _write(
        self,
        name: str,
        rows: Iterable[pa.RecordBatch] | pa.Table,
        application: str,
        version: int,
        predicate: str | None = None,
    ) -> None:
        if not isinstance(rows, pa.Table):
            rows = pa.RecordBatchReader.from_batches(arrow_schema(TABLES[name]), rows)
        commit = CommitProperties(
            custom_metadata={"application": application},
            app_transactions=[Transaction(application, version)],
        )
        target = self._kept.get(name) or str(self._path(name))
        try:
            self._require_room()
            if predicate:
                write_deltalake(
                    target,
                    rows,
                    mode="overwrite",
                    predicate=predicate,
                    commit_properties=commit,
                    writer_properties=_WRITING,
                    schema_mode="merge" if name in GROWN else None,
                )
            else:
                write_deltalake(
                    target, rows, mode="append", commit_properties=commit, **self._shape(name)
                )
        except (DeltaError, OSError) as error:
            raise Permanent(
                f"cannot write table {name} in {self._folder}: {error}; "
                "check free space and write permission, then run the same command again"
            ) from error

    def _shape(self, name: str) -> dict[str, Any]:
        """Say how the files of a table are written, and what a new table is told to keep."""
        if name in GROWN:
            return {"schema_mode": "merge", "writer_properties": _WRITING}
        if name not in _STREAMS:
            return {"writer_properties": _WRITING}
        told = {} if name in self._kept else {"configuration": _STREAM_PROPERTIES}
        return told | {"writer_properties": _STREAM_WRITING}

    def _require_room(self) -> None:
        """Find a full or read-only disk before the Delta writer does, which panics noisily."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=self._folder) as probe:
            probe.write(bytes(_ROOM_BYTES))
            probe.flush()
            os.fsync(probe.fileno())


def _sync(path: str) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # tidied away
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
