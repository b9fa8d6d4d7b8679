"""One batch of a file becomes rows of its fact tables; the first cell at fault refuses a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundColumn, BoundTable
from regulars.collect.sources.convert import Cells, KnownIds, convert, reason_of
from regulars.collect.sources.keys.fingerprints import combined, fingerprints_of
from regulars.collect.sources.reading.batches import Batch
from regulars.collect.sources.refusals import Refusal
from regulars.govern.protection.declared import read_declared
from regulars.records import Column, DataClass

Cover = Callable[[str, pa.Array], pa.Array]
"""Gives tokens for the values of a column that holds one kind of direct identifier."""


@dataclass(frozen=True)
class Shaped:
    """A batch, cell by cell.

    Attributes:
        cells: By table and column.
        is_good: True for each whole row without a fault. Shape (rows,).
        refusals: The other rows, broken ones included.
    """

    cells: dict[str, dict[str, Cells]]
    is_good: NDArray[np.bool_]
    refusals: list[Refusal]

    def fingerprints(self, table: str, columns: Sequence[str]) -> NDArray[np.uint64]:
        """Give one fingerprint per row over some columns of a table."""
        parts = []
        for name in columns:
            cells = self.cells[table][name]
            distinct = fingerprints_of(cells.distinct)
            parts.append(distinct[cells.places.to_numpy(zero_copy_only=False)])
        return combined(parts)

    def rows(self, table: str, schema: pa.Schema) -> pa.RecordBatch:
        """Give the rows of a table, refused ones included."""
        columns = [self.cells[table][name].values() for name in schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


@dataclass(frozen=True)
class Shaper:
    """Shapes the batches of one file.

    Attributes:
        tables: What the file feeds.
        schemas: Schema by table.
        header: Columns of the file.
        zone: IANA zone of the workspace.
        known: Tells which ids a table holds.
        cover: Gives tokens for a column of one kind of direct identifier; None leaves all as
            the file says it.
    """

    tables: tuple[BoundTable, ...]
    schemas: dict[str, pa.Schema]
    header: tuple[str, ...]
    zone: str
    known: KnownIds
    cover: Cover | None = None

    @property
    def wanted(self) -> list[str]:
        """File columns that any table reads, in file order."""
        read = {
            name for table in self.tables for bound in table.columns for name in bound.rule.columns
        }
        return [name for name in self.header if name in read]

    def shape(self, batch: Batch) -> Shaped:
        """Convert and check every cell of a batch."""
        refusals = [
            Refusal(
                self.tables[0].name,
                row.row,
                None,
                row.reason,
                None,
                row.raw,
                _id_of(self.tables[0], dict(zip(self.header, row.fields, strict=False))),
            )
            for row in batch.broken
        ]
        shaped: dict[str, dict[str, Cells]] = {}
        is_good = np.ones(batch.columns.num_rows, bool)
        for table in self.tables:
            schema, found = self.schemas[table.name], {}
            for bound in table.columns:
                name = bound.column.name
                kind = schema.field(name).type
                cells = convert(batch.columns, bound, kind, self.zone, self.known)
                found[name] = self._covered(bound.column, cells)
                codes = found[name].row_codes()
                if codes is None:
                    continue
                for at in np.flatnonzero((codes > 0) & is_good).tolist():
                    refusals.append(_refusal(batch, table, bound, at, int(codes[at])))
                is_good &= codes == 0
            shaped[table.name] = found
        return Shaped(shaped, is_good, refusals)

    def _covered(self, column: Column, cells: Cells) -> Cells:
        kind = kind_covered(column)
        if self.cover is None or not kind:
            return cells
        return replace(cells, distinct=self.cover(kind, cells.distinct))

    def completed(self, batch: Batch, at: int, refusal: Refusal) -> Refusal:
        """Add value, text and id to a refusal that was decided after the file had been read."""
        [row] = batch.columns.slice(at, 1).to_pylist()
        [table] = [table for table in self.tables if table.name == refusal.table]
        value = refusal.column and " + ".join(shown(row.get(n)) for n in refusal.column.split("+"))
        return replace(refusal, value=value, raw=batch.raw(at), row_id=_id_of(table, row))


def _refusal(batch: Batch, table: BoundTable, bound: BoundColumn, at: int, code: int) -> Refusal:
    [row] = batch.columns.slice(at, 1).to_pylist()
    value = " + ".join(shown(row[name]) for name in bound.rule.columns) or None
    return Refusal(
        table.name,
        int(batch.rows[at]),
        bound.source,
        reason_of(code),
        value,
        batch.raw(at),
        _id_of(table, row),
    )


def _id_of(table: BoundTable, row: dict[str, object]) -> str | None:
    parts = [shown(row.get(name)).strip() for name in table.key_sources]
    return " ".join(parts) if all(parts) else None


def shown(value: object) -> str:
    """Write a value of a file the way a person would find it there."""
    return "" if value is None else str(value)


def kind_covered(column: Column) -> str:
    """Tell which kind of token stands in a fact column.

    Returns:
        "phone" or "email" for a column declared to hold one; "" for any other.

    Example:
        >>> from regulars.records import TABLES
        >>> [kind_covered(TABLES["customers"].column(name)) for name in ("phone", "name", "city")]
        ['phone', '', '']
    """
    is_direct = column.data_class is DataClass.DIRECT
    return read_declared().kind_of(column.name, False) if is_direct else ""
