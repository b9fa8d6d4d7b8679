"""What is remembered of a source: its records, and numbers to find them by without reading them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table as Definition
from numpy.typing import NDArray

from regulars.unify.matching import tables
from regulars.unify.matching.loading import Bench
from regulars.unify.matching.memory.kept import Kept, Part
from regulars.unify.matching.memory.numbers import NONE, in_order
from regulars.unify.matching.pairs.blocking import hashes_of, parts_there

CUSTOMER, ID, HOLDER = "customer_id", "id", "holder"
Ints = NDArray[np.int64]
Names = NDArray[np.object_]

ROWS_PER_PART = 20_000
_SIGN, _NUMBER = "#", "number "


@dataclass(frozen=True)
class About:
    """What a file says of everything remembered up to it.

    Attributes:
        records: Records remembered.
        known: By column, records that have any value.
        holders: Numbers given to customers so far, from 0.
        engine: Version of the engine whose hashes the numbers are.
        rows: Rows of this file.
    """

    records: int
    known: Mapping[str, int]
    holders: int
    engine: str
    rows: int = 0


class Remembered:
    """The records of a source, as files say, later ones over earlier ones.

    A *place* is a row of all files one after another. Columns of numbers are read whole, rows
    only where they are asked for.

    Args:
        files: The files, the oldest first.
    """

    def __init__(self, files: Sequence[Kept]) -> None:
        """Read what the files say of themselves."""
        self._files = files
        abouts = [About(**json.loads(file.read("about"))) for file in files]
        self.about = abouts[-1]
        self._ends = np.cumsum([about.rows for about in abouts])
        self._columns: dict[str, Ints] = {}

    def number(self, name: str) -> Ints:
        """Give a column of numbers.

        Args:
            name: Part of a blocking key, counted column, `id`, `mark`, `customer_id` (all
                hashed), `rid`, or `holder`, the number of the customer.

        Returns:
            One number per place; `NONE` where there is no value.
        """
        if name not in self._columns:
            self._columns[name] = in_order([self._number(n, name) for n in range(len(self._files))])
        return self._columns[name]

    def _number(self, at: int, name: str) -> Ints:
        part = _NUMBER + name
        if part in self._files[at]:
            return np.frombuffer(self._files[at].read(part), np.int64)
        return np.full(int(np.diff(self._ends, prepend=0)[at]), NONE, np.int64)

    @property
    def numbers(self) -> list[str]:
        """Names of the columns of numbers."""
        names = {name for file in self._files for name in file.names}
        return sorted(name.removeprefix(_NUMBER) for name in names if name.startswith(_NUMBER))

    @cached_property
    def by_rid(self) -> Ints:
        """Place of each record, by its number."""
        rid = self.number("rid")
        found = np.empty(self.about.records, np.int64)
        found[rid] = np.arange(len(rid))
        return found

    @cached_property
    def is_newest(self) -> NDArray[np.bool_]:
        """Which places hold the newest word on their record."""
        return np.asarray(self.by_rid[self.number("rid")] == np.arange(len(self.number("rid"))))

    def rows(self, places: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Read rows.

        Args:
            places: Places, in ascending order.
            columns: Names of columns; all when left out.

        Returns:
            One row per place, in their order.
        """
        found = [self._part(0, 0, columns).slice(0, 0)]
        for file, start, part in self._parts():
            ends = np.searchsorted(places, [start, start + part[1]])
            here = places[ends[0] : ends[1]] - start
            if len(here):
                rows = self._part(file, part[0], columns)
                found.append(rows if len(here) == len(rows) else rows.take(pa.array(here)))
        return pa.concat_tables(found, promote_options="default")

    def all_rows(self, *, without: Ints) -> Iterator[tuple[Ints, pa.Table]]:
        """Read all records, part by part.

        Args:
            without: Places to leave out.

        Yields:
            Places and rows, those only that are the newest word on their record.
        """
        wanted = self.is_newest.copy()
        wanted[without] = False
        for file, start, part in self._parts():
            here = wanted[start : start + part[1]]
            if here.any():
                rows = self._part(file, part[0], None)
                kept = rows if here.all() else rows.filter(pa.array(here))
                yield np.flatnonzero(here) + start, kept

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of all files."""
        return pa.unify_schemas([self._part(n, 0, None).schema for n in range(len(self._files))])

    def _parts(self) -> Iterator[tuple[int, int, tuple[int, int]]]:
        """Give file, first place, number and rows of each part."""
        start = 0
        for file, rows in enumerate(np.diff(self._ends, prepend=0).tolist()):
            for number, done in enumerate(range(0, rows, ROWS_PER_PART)):
                size = min(ROWS_PER_PART, rows - done)
                yield file, start, (number, size)
                start += size

    def _part(self, file: int, number: int, columns: Sequence[str] | None) -> pa.Table:
        source = pa.BufferReader(self._files[file].read(f"rows {number}"))
        if columns is None:
            return pa.ipc.open_stream(source).read_all()
        schema = pa.ipc.read_schema(pa.BufferReader(source.read_buffer()))
        source.seek(0)
        wanted = [place for place, name in enumerate(schema.names) if name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        return pa.ipc.open_stream(source, options=options).read_all().select(list(columns))


def engine_of(bench: Bench) -> str:
    """Name the version whose hashes the bench makes."""
    row = bench.connection.execute("SELECT version()").fetchone()
    return str(row[0]) if row else ""


def numbered(records: Definition, names: Sequence[str]) -> tuple[str, ...]:
    """Say which numbers records are kept with.

    Args:
        records: Records.
        names: Parts the rules are made of.

    Returns:
        These parts and the columns whose values are counted, as far as the records have them.
    """
    return parts_there(records, sorted({*names, *tables.counted_columns(records)}))


def numbers_of(bench: Bench, records: Definition, names: Sequence[str]) -> dict[str, Ints]:
    """Hash what records say.

    Args:
        bench: Holds the records.
        records: Records with `rid`.
        names: Parts the rules are made of.

    Returns:
        By part and counted column, one number per record in the order of `rid`.
    """
    there = numbered(records, names)
    found = bench.arrow(records.select("rid", **hashes_of(records, there)).order_by("rid"))
    return {part: numbers(found.column(part)) for part in there}


def hashed_texts(bench: Bench, texts: Sequence[str]) -> Ints:
    """Hash ids.

    Returns:
        One number each.
    """
    table = pa.table({"place": np.arange(len(texts)), "text": pa.array(texts, pa.string())})
    bench.connection.register("texts_to_hash", table)
    own = bench.table("texts_to_hash")
    found = bench.arrow(own.select("place", number=own.text.hash()).order_by("place"))
    bench.connection.unregister("texts_to_hash")
    return numbers(found.column("number"))


def parts_to_keep(
    bench: Bench,
    records: Definition,
    names: Sequence[str],
    about: About,
    *,
    rid: Ints,
    ids: Names,
    holders: Ints,
) -> Iterator[Part]:
    """Write records as the parts of a file.

    Args:
        bench: Holds the records.
        records: Records with `rid`, their place in the following arrays.
        names: Parts the rules are made of.
        about: What to say of everything remembered.
        rid: Number of each record among all that are remembered.
        ids: Customer id of each record.
        holders: Number of each record's customer.

    Yields:
        Rows first, in whatever order the engine gives them, then their numbers.
    """
    there = numbered(records, names)
    hashed = hashes_of(records, there) | {ID: records[ID].hash()}
    kept = records.mutate(**{f"{_SIGN}{name}": number for name, number in hashed.items()})
    codes = pa.array(ids, pa.string()).dictionary_encode()
    of_customer = hashed_texts(bench, codes.dictionary.to_pylist())[codes.indices.to_numpy()]
    columns: dict[str, list[Ints]] = {}
    rows = 0
    for count, part in enumerate(_in_parts(bench, kept)):
        place = part.column("rid").to_numpy()
        own = {name: numbers(part.column(f"{_SIGN}{name}")) for name in hashed}
        own |= {"rid": rid[place], HOLDER: holders[place], CUSTOMER: of_customer[place]}
        own[tables.MARK] = numbers(part.column(tables.MARK))
        for name, column in own.items():
            columns.setdefault(name, []).append(column)
        plain = part.drop_columns(["rid", *(f"{_SIGN}{name}" for name in hashed)])
        rows += len(plain)
        yield (
            f"rows {count}",
            written(plain.append_column(CUSTOMER, pa.array(ids[place], pa.string()))),
        )
    for name, chunks in columns.items():
        yield _NUMBER + name, in_order(chunks).tobytes()
    yield "about", json.dumps(asdict(about) | {"rows": rows}).encode()


def _in_parts(bench: Bench, kept: Definition) -> Iterator[pa.Table]:
    bench.backend.create_view("to_keep", kept, overwrite=True)
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in bench.connection.table("to_keep").to_arrow_reader(ROWS_PER_PART):
        waiting.append(batch)
        size += len(batch)
        while size >= ROWS_PER_PART:
            whole = pa.Table.from_batches(waiting)
            yield whole.slice(0, ROWS_PER_PART)
            waiting = whole.slice(ROWS_PER_PART).to_batches()
            size -= ROWS_PER_PART
    if size:
        yield pa.Table.from_batches(waiting)


def written(rows: pa.Table) -> bytes:
    """Write rows as bytes."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, rows.schema, options=options) as out:
        out.write_table(rows.combine_chunks())
    found: bytes = sink.getvalue().to_pybytes()
    return found


def numbers(column: pa.ChunkedArray) -> Ints:
    """Give a column of hashes, `NONE` where there is no value."""
    return np.asarray(column.fill_null(NONE).to_numpy(), dtype=np.int64)
