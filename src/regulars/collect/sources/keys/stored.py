"""What the lake already holds of some keys, found by reading as little of it as possible."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regulars.collect.sources.keys.fingerprints import combined, fingerprints_of
from regulars.records import Table

Spans = Mapping[str, tuple[Any, Any]]
Covers = Mapping[str, Callable[[pa.Array], pa.Array]]
_BATCH_ROWS = 1 << 17


def stored_rows(
    files: Sequence[str],
    table: Table,
    schema: pa.Schema,
    keys: NDArray[np.uint64],
    spans: Spans,
    covers: Covers = MappingProxyType({}),
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Find the stored rows that have one of some keys.

    Row groups whose key columns lie outside the spans are not read; the other columns are
    read only of row groups that hold such a key.

    Args:
        files: Parquet files of the table.
        table: The declared table.
        schema: Its Arrow schema.
        keys: Key fingerprints looked for, ascending.
        spans: Least and greatest value looked for, by key column; a column left out may
            hold anything.
        covers: How a clear value of a column would be written today, by column.

    Returns:
        Key fingerprint (ascending) and row fingerprint of each row found.
    """
    found_keys, found_rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    for path in files if len(keys) else ():
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for group in range(file.metadata.num_row_groups):
                if _is_outside(file.metadata.row_group(group), spans):
                    continue
                given = _fingerprints(file, group, schema, table.key, covers)
                hits = _is_in(given, keys)
                if hits.any():
                    found_keys.append(given[hits])
                    every = _fingerprints(file, group, schema, table.names, covers)
                    found_rows.append(every[hits])
    every_key, every_row = np.concatenate(found_keys), np.concatenate(found_rows)
    order = np.argsort(every_key, kind="stable")
    return every_key[order], every_row[order]


def stored_values(files: Iterable[str], column: str) -> list[str]:
    """Give the distinct values of a text column of a table.

    Args:
        files: Parquet files of the table.
        column: A text column.

    Returns:
        Each value of each file once.
    """
    found: list[str] = []
    for path in files:
        values = pq.read_table(path, columns=[column], use_threads=False).column(0)
        found += [value for value in values.unique().to_pylist() if value is not None]
    return found


def _is_outside(group: pq.RowGroupMetaData, spans: Spans) -> bool:
    for number in range(group.num_columns):
        part = group.column(number)
        known = part.statistics
        low, high = spans.get(part.path_in_schema, (None, None))
        if known is None or not known.has_min_max or not isinstance(known.min, type(low)):
            continue
        if known.max < low or known.min > high:
            return True
    return False


def _fingerprints(
    file: pq.ParquetFile, group: int, schema: pa.Schema, names: Sequence[str], covers: Covers
) -> NDArray[np.uint64]:
    found = []
    for part in file.iter_batches(
        _BATCH_ROWS, row_groups=[group], columns=list(names), use_threads=False
    ):
        columns = []
        for name in names:
            values = part.column(name)
            if name in covers:
                values = covers[name](values.cast(schema.field(name).type))
            is_plain = not pa.types.is_dictionary(values.type) or values.null_count
            columns.append(
                fingerprints_of(values.cast(schema.field(name).type) if is_plain else values)
            )
        found.append(combined(columns))
    return np.concatenate(found)


def _is_in(values: NDArray[np.uint64], ascending: NDArray[np.uint64]) -> NDArray[np.bool_]:
    at = np.searchsorted(ascending, values)
    at[at == len(ascending)] = 0
    found: NDArray[np.bool_] = ascending[at] == values
    return found
