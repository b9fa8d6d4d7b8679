"""First pass over a file: every cell judged, keys remembered as fingerprints, nothing written."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundTable
from regulars.collect.sources.keys.stored import Spans
from regulars.collect.sources.mapping import FED
from regulars.collect.sources.reading.batches import Batch, Source
from regulars.collect.sources.refusals import Refusal, quarantine_rows
from regulars.collect.sources.rules import REFERENCES
from regulars.collect.sources.shaping import Shaped, Shaper

PROBLEMS_SHOWN = 20
POINTED_AT = frozenset(table for part in REFERENCES.values() for table in part.values())


@dataclass
class TableScan:
    """What the first pass learns about one table a file feeds.

    Attributes:
        keys: Key fingerprint per record of the file; means nothing where the row is refused.
        contents: Row fingerprint per record; empty when it was not asked for.
        days: Day per record, as days since 1970; empty when the table has no day.
        spans: Least and greatest value, by key column of text or whole numbers.
        empty_cells: Optional cells that were empty, in good rows.
        named: Ids the good rows name, of tables that others point at.
        rows: The good rows of a table with a row per key, `record` being their position;
            empty for the others.
    """

    keys: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    days: NDArray[np.int32]
    spans: Spans
    empty_cells: int
    named: set[str]
    rows: pa.Table


@dataclass
class Scan:
    """What the first pass learns about a file.

    Attributes:
        tables: By table.
        owner: Per record 0, or 1 + position of the table that refused it. Shape (records,).
        quarantine: Rows of the quarantine table, in pieces.
        problems: The first refusals.
    """

    tables: dict[str, TableScan]
    owner: NDArray[np.int8]
    quarantine: list[pa.Table] = field(default_factory=list)
    problems: list[Refusal] = field(default_factory=list)


class Scanner:
    """Collects what the batches of one file say.

    Args:
        shaper: Turns a batch into cells.
        quarantine: Schema of the quarantine table.
        same: Values every quarantine row has.
        compared: Tables whose rows are compared with stored ones.
    """

    def __init__(
        self,
        shaper: Shaper,
        quarantine: pa.Schema,
        same: dict[str, str],
        compared: Collection[str],
    ) -> None:
        """Start empty."""
        self._shaper, self._schema, self._same = shaper, quarantine, same
        self._compared = compared
        self._parts: dict[tuple[str, str], list[NDArray[Any]]] = defaultdict(list)
        self._rows: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._spans: dict[str, dict[str, tuple[Any, Any]]] = defaultdict(dict)
        self._empty: dict[str, int] = defaultdict(int)
        self._named: dict[str, set[str]] = defaultdict(set)
        self._order = {table.name: n + 1 for n, table in enumerate(shaper.tables)}
        self._scan = Scan({}, np.zeros(0, np.int8))

    def scan(self, source: Source, progress: Callable[[float], None]) -> Scan:
        """Read the whole file once.

        Args:
            source: The file.
            progress: Told the share read, 0 to 1.

        Returns:
            What was learnt.
        """
        records = 0
        for batch in source.batches(self._shaper.wanted):
            shaped = self._shaper.shape(batch)
            self._refused(shaped, batch, records)
            for table in self._shaper.tables:
                self._learn(table, shaped, batch, records)
            records += batch.records
            progress(batch.done)
        self._scan.owner = self._joined("", "owner").astype(np.int8)
        self._scan.tables = {t.name: self._learnt(t) for t in self._shaper.tables}
        return self._scan

    def _refused(self, shaped: Shaped, batch: Batch, records: int) -> None:
        owner = np.zeros(batch.records, np.int8)
        for refusal in shaped.refusals:
            owner[refusal.row - 1 - records] = self._order[refusal.table]
            if refusal.table in POINTED_AT and refusal.row_id:
                self._named[refusal.table].add(refusal.row_id)
        self._parts["", "owner"].append(owner)
        if shaped.refusals:
            piece = quarantine_rows(shaped.refusals, self._schema, **self._same)
            self._scan.quarantine.append(piece)
            room = PROBLEMS_SHOWN - len(self._scan.problems)
            self._scan.problems += sorted(shaped.refusals, key=lambda r: r.row)[: max(room, 0)]

    def _learn(self, table: BoundTable, shaped: Shaped, batch: Batch, records: int) -> None:
        name, good = table.name, shaped.is_good
        cells, at = shaped.cells[name], batch.rows - 1 - records
        if name in POINTED_AT:
            key = cells[table.key[0]]
            used = np.unique(key.places.to_numpy(zero_copy_only=False)[good])
            self._named[name].update(filter(None, key.distinct.take(pa.array(used)).to_pylist()))
        if table.rule.one_per_key:
            schema = self._shaper.schemas[name]
            part = shaped.rows(name, schema).append_column("record", pa.array(at + records))
            self._rows[name].append(part.filter(pa.array(good)))
            return
        self._spread(name, "keys", shaped.fingerprints(name, table.key), at, batch.records)
        if name in self._compared:
            every = shaped.fingerprints(name, FED[name].names)
            self._spread(name, "contents", every, at, batch.records)
            for part in table.key:
                self._widen(self._spans[name], part, cells[part].distinct)
        day = day_column(name)
        if day:
            values = days_of(cells[day].distinct)[cells[day].places.to_numpy(zero_copy_only=False)]
            self._spread(name, "days", values, at, batch.records)
        for bound in table.columns:
            found = cells[bound.column.name]
            if not bound.column.required and found.distinct.null_count:
                is_empty = found.distinct.is_null().to_numpy(zero_copy_only=False)
                places = found.places.to_numpy(zero_copy_only=False)
                self._empty[name] += int((is_empty[places] & good).sum())

    def _spread(
        self,
        table: str,
        what: str,
        values: NDArray[Any],
        at: NDArray[np.int64],
        records: int,
    ) -> None:
        if len(values) < records:
            full = np.zeros(records, values.dtype)
            full[at] = values
            values = full
        self._parts[table, what].append(values)

    @staticmethod
    def _widen(spans: dict[str, tuple[Any, Any]], key: str, values: pa.Array) -> None:
        """Widen the span of a key column; (None, None) once it holds what has no order here."""
        is_ordered = pa.types.is_string(values.type) or pa.types.is_integer(values.type)
        if values.null_count or not is_ordered:
            spans[key] = None, None
        elif len(values) and spans.get(key) != (None, None):
            found = pc.min_max(values).as_py()
            low, high = spans.get(key, (found["min"], found["max"]))
            spans[key] = min(low, found["min"]), max(high, found["max"])

    def _joined(self, table: str, what: str) -> NDArray[Any]:
        parts = self._parts.pop((table, what), [])
        return np.concatenate(parts) if parts else np.zeros(0, np.int8)

    def _learnt(self, table: BoundTable) -> TableScan:
        name = table.name
        schema = self._shaper.schemas[name].append(pa.field("record", pa.int64()))
        rows = self._rows.pop(name, [])
        return TableScan(
            keys=self._joined(name, "keys").astype(np.uint64, copy=False),
            contents=self._joined(name, "contents").astype(np.uint64, copy=False),
            days=self._joined(name, "days").astype(np.int32, copy=False),
            spans={key: span for key, span in self._spans[name].items() if span[0] is not None},
            empty_cells=self._empty[name],
            named=self._named[name],
            rows=pa.Table.from_batches(rows, schema),
        )


def day_column(table: str) -> str:
    """Name the column that says on which day a row of a table happened.

    Args:
        table: A fact table.

    Returns:
        Its business date, else its first date, else its first moment; "" without any.

    Example:
        >>> day_column("orders"), day_column("consents"), day_column("stores")
        ('business_date', 'recorded_at', '')
    """
    by_type = {c.type: c.name for c in reversed(FED[table].columns)}
    names = FED[table].names
    return (
        "business_date"
        if "business_date" in names
        else by_type.get("date") or by_type.get("timestamp") or ""
    )


NO_DAY = np.iinfo(np.int32).min


def days_of(values: pa.Array) -> NDArray[np.int32]:
    """Give days since 1970-01-01; NO_DAY where there is none. Moments count in UTC."""
    days = values.cast(pa.date32(), safe=False).cast(pa.int32())
    found: NDArray[np.int32] = days.fill_null(int(NO_DAY)).to_numpy(zero_copy_only=False)
    return found
