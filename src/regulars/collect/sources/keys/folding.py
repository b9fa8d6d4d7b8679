"""Folding: many rows of a file, such as lines of a receipt, make one row of a table."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundTable
from regulars.collect.sources.keys.fingerprints import combined, fingerprints_of


@dataclass(frozen=True)
class Folded:
    """Rows of a file, folded by the key of a table.

    Attributes:
        rows: One row of the table per key, in the order keys first appear.
        keys: Key fingerprint per folded row. Shape (keys,).
        contents: Row fingerprint per folded row. Shape (keys,).
        group: Which folded row each row of the file belongs to. Shape (rows,).
        differing: By file column: rows that disagree with the first row of their key, as
            positions in the rows given.
    """

    rows: pa.Table
    keys: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    group: NDArray[np.int64]
    differing: dict[str, NDArray[np.int64]]


def fold(bound: BoundTable, rows: pa.Table, schema: pa.Schema) -> Folded:
    """Fold rows by key, each column as its rule says.

    Args:
        bound: The table fed; columns that fold as "same" must agree within a key, unless the
            table keeps what is stored: then the first row counts.
        rows: Rows of the file with the columns of the table, in file order.
        schema: Schema of the table.

    Returns:
        The folded rows, and which rows disagree. A sum is exact; it skips empty cells.
    """
    keys = combined([fingerprints_of(_column(rows, name)) for name in bound.key])
    keys, first, group = _grouped(keys)
    arrays, differing = [], {}
    for part in bound.columns:
        values = _column(rows, part.column.name)
        if part.rule.fold in {"sum", "min", "max"} and len(group):
            arrays.append(_aggregated(values, group, part.rule.fold))
            continue
        arrays.append(values.take(pa.array(first)))
        if part.rule.fold == "same" and not bound.rule.keep_stored:
            marks = fingerprints_of(values)
            unlike = np.flatnonzero(marks != marks[first][group])
            if len(unlike):
                differing[part.source] = unlike
    folded_rows = pa.Table.from_arrays(arrays, schema=schema)
    contents = combined([fingerprints_of(_column(folded_rows, name)) for name in schema.names])
    return Folded(folded_rows, keys, contents, group, differing)


def _grouped(
    keys: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Give the distinct keys as they first appear, where that is, and which one each row has."""
    distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty(len(distinct), np.int64)
    place[order] = np.arange(len(distinct))
    return distinct[order], first[order], place[inverse]


def _aggregated(values: pa.Array, group: NDArray[np.int64], how: str) -> pa.Array:
    by_group = pa.table({"group": group, "value": values}).group_by("group", use_threads=False)
    found = by_group.aggregate([("value", how)]).sort_by("group").column(f"value_{how}")
    return found.cast(values.type).combine_chunks()


def _column(rows: pa.Table, name: str) -> pa.Array:
    found = rows.column(name).combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
