"""Rows of a Delta table that are deleted or renamed for good, and their past with them.

File by file: one that holds none of the rows is not touched, the others are written again with
everything else as it was. The engine of the Delta library would do the same by a statement, but
writes texts as a type that readers of Parquet do not all know.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from regulars.errors import Transient
from regulars.ports.lake import Where
from regulars.records import Table

TRIES = 8
Change = Callable[[pa.Table, pa.Array], pa.Table]
"""Gives rows of a file as they are to be; the flags say which of them are meant."""


def delete_rows(opened: DeltaTable, folder: Path, where: Where) -> int:
    """Delete rows in one commit.

    Args:
        opened: The table.
        folder: Its folder.
        where: Which rows.

    Returns:
        Rows deleted.

    Raises:
        Transient: Another writer was in the way every time.
    """
    return _rewritten(opened, folder, where, lambda rows, hits: rows.filter(pc.invert(hits)))


def change_rows(
    opened: DeltaTable,
    folder: Path,
    table: Table,
    where: Where,
    renamed: Mapping[str, Mapping[str, str]],
    emptied: Sequence[str],
) -> int:
    """Put other texts in place in one commit; everything else of the rows stays.

    Args:
        opened: The table.
        folder: Its folder.
        table: What is declared of it.
        where: Which rows.
        renamed: New text by old one, by column.
        emptied: Columns left empty.

    Returns:
        Rows changed.

    Raises:
        Transient: Another writer was in the way every time.
    """
    empty = {name: "" if table.column(name).required else None for name in emptied}

    def change(rows: pa.Table, hits: pa.Array) -> pa.Table:
        for name, new_by_old in renamed.items():
            was = rows[name].to_pylist()
            told = [
                new_by_old.get(text, text) if hit else text
                for text, hit in zip(was, hits.to_pylist(), strict=True)
            ]
            rows = _with(rows, name, pa.array(told, rows.schema.field(name).type))
        for name, value in empty.items():
            if name in rows.column_names:
                blank = pa.scalar(value, rows.schema.field(name).type)
                rows = _with(rows, name, pc.if_else(hits, blank, rows[name]))
        return rows

    return _rewritten(opened, folder, where, change)


def forget_past(opened: DeltaTable, folder: Path) -> None:
    """Delete superseded files, and commits older than a checkpoint of what is now.

    Files of a commit on its way are not touched: only what the log says was removed goes.
    Commits tell the smallest and largest text of each column, so they are a copy too.

    Args:
        opened: The table as it is now.
        folder: Its folder.

    Raises:
        Transient: Another writer was in the way.
    """
    try:
        opened.vacuum(0, dry_run=False, enforce_retention_duration=False)
        opened.update_incremental()
        opened.create_checkpoint()
    except (DeltaError, OSError) as error:
        raise Transient(
            f"cannot delete the past of table {folder.name}: {error}; run the command again"
        ) from error
    for path in sorted((folder / "_delta_log").iterdir()):
        number = path.name.partition(".")[0]
        if number.isdigit() and int(number) < opened.version():
            path.unlink(missing_ok=True)


def _rewritten(opened: DeltaTable, folder: Path, where: Where, change: Change) -> int:
    """Commit changed files in place of those that hold the rows; try again on what is then."""
    for left in reversed(range(TRIES)):
        made: list[Path] = []
        try:
            return _once(opened, folder, where, change, made)
        except (DeltaError, OSError) as error:
            for path in made:
                path.unlink(missing_ok=True)
            if not left:
                raise Transient(
                    f"others kept writing to table {folder.name}: {error}; "
                    "run the same command again"
                ) from error
            opened.update_incremental()
    return 0


def _once(opened: DeltaTable, folder: Path, where: Where, change: Change, made: list[Path]) -> int:
    changed = 0
    actions: list[AddAction | RemoveAction] = []
    version = opened.version()
    for name in sorted(Path(uri).name for uri in opened.file_uris()):
        hits = [_hits(rows, where) for rows in _row_groups(folder / name, _columns(where))]
        count = sum(pc.sum(one).as_py() or 0 for one in hits)
        if not count:
            continue
        changed += count
        new = folder / _new_name(name, version)
        made.append(new)
        rows_left = _write(folder / name, new, hits, change)
        size, told = (folder / name).stat().st_size, new.stat()
        at = int(told.st_mtime * 1000)
        actions.append(RemoveAction(name, True, at, size))
        if rows_left:
            # No smallest and largest texts: they would be a copy of somebody's.
            stats = json.dumps({"numRecords": rows_left})
            actions.append(AddAction(new.name, told.st_size, {}, at, True, stats))
        else:
            new.unlink()
    if actions:
        opened.create_write_transaction(actions, "append", opened.schema())
    return changed


def _write(old: Path, new: Path, hits: Sequence[pa.Array], change: Change) -> int:
    """Write a file again; gives the rows left in it."""
    rows_left = 0
    with pq.ParquetFile(old) as source:
        codec = source.metadata.row_group(0).column(0).compression.lower()
        with pq.ParquetWriter(new, source.schema_arrow, compression=codec) as target:
            for rows, own in zip(_row_groups(old, None), hits, strict=True):
                told = change(rows, own)
                rows_left += told.num_rows
                if told.num_rows:
                    target.write_table(told)
    handle = os.open(new, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return rows_left


def _row_groups(path: Path, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=columns)


def _columns(where: Where) -> list[str]:
    return sorted({name for part in where for name in part})


def _hits(rows: pa.Table, where: Where) -> pa.Array:
    """Say which rows are meant."""
    found = pa.array([False] * rows.num_rows, pa.bool_())
    for part in where:
        both = pa.array([True] * rows.num_rows, pa.bool_())
        for name, texts in part.items():
            column = rows[name].combine_chunks()
            both = pc.and_(both, _is_one_of(column, texts))
        found = pc.or_(found, both)
    return found


def _is_one_of(column: pa.Array, texts: Sequence[str] | None) -> pa.Array:
    if texts is None:
        return pc.or_(pc.is_null(column), pc.fill_null(pc.equal(column, ""), False))
    whole = pa.types.is_integer(column.type)
    values = pa.array([int(text) if whole else text for text in texts], column.type)
    return pc.fill_null(pc.is_in(column, value_set=values), False)


def _new_name(name: str, version: int) -> str:
    digest = hashlib.blake2b(f"{name}\n{version}".encode(), digest_size=16).hexdigest()
    return f"part-00000-{digest}-c000.parquet"


def _with(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), values)
