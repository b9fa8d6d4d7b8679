"""The bench: a database in memory that holds the records while they are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table as Definition
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.unify.matching import tables
from regulars.unify.matching.mapping import Roles
from regulars.unify.matching.pairs.scoring import RECORDS

if TYPE_CHECKING:
    import duckdb

RAW, CLEAN, COUNTED = "raw", "clean", "counted"
ROW = tables.ROW
_NOT_COMPARED = ("id", "login", "before", "is_new", tables.MARK)
_CHINESE = "[\u4e00-\u9fff]"


@dataclass(frozen=True)
class Bench:
    """An open database and what is known of its records.

    Attributes:
        backend: Ibis backend over DuckDB in memory, which spills to `spill` when it must.
    """

    backend: Any
    known: dict[str, int] = field(default_factory=dict)

    @property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        """The same database, for Splink."""
        found: duckdb.DuckDBPyConnection = self.backend.con
        return found

    def table(self, name: str) -> Definition:
        """Open a table."""
        return self.backend.table(name)

    def arrow(self, definition: Definition) -> pa.Table:
        """Run a definition."""
        return self.backend.to_pyarrow(definition)

    def numbers(self, definition: Definition, column: str) -> NDArray[Any]:
        """Run a definition and give one column; empty values become nan."""
        values = self.arrow(definition.select(column)).column(0)
        return np.asarray(values.to_numpy())

    def close(self) -> None:
        """Close the database."""
        self.backend.disconnect()


def open_bench(*, workers: int, memory: str, spill: Path) -> Bench:
    """Open a bench.

    Args:
        workers: Threads.
        memory: Most memory it takes before it spills, as DuckDB writes it.
        spill: Folder for what does not fit.

    Returns:
        The bench, empty.
    """
    backend = ibis.duckdb.connect(threads=workers, memory_limit=memory, temp_directory=str(spill))
    backend.raw_sql("SET enable_progress_bar=false")
    backend.raw_sql("SET TimeZone='UTC'")
    return Bench(backend)


def read_file(bench: Bench, path: Path) -> list[str]:
    """Read a table from a file, every column as text.

    Args:
        bench: Takes the table as `raw`, with the number of each row; it stays in its file.
        path: A CSV, TSV or Parquet file.

    Returns:
        The names of its columns.

    Raises:
        InputError: It is no table we can read.
    """
    import duckdb  # noqa: PLC0415 - slow to import

    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    if path.suffix.lower() not in {".csv", ".tsv", ".txt", ".parquet"}:
        raise InputError(f"{path}: {path.suffix or 'no ending'} is no table; give CSV or Parquet")
    try:
        return _read(bench, path)
    except duckdb.Error as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise InputError(f"{path} cannot be read as a table: {reason}") from error


def _read(bench: Bench, path: Path) -> list[str]:
    if path.suffix.lower() == ".parquet":
        found = bench.backend.read_parquet(str(path))
    else:
        found = bench.backend.read_csv(str(path), all_varchar=True, header=True)
    columns = list(found.columns)
    text = {name: found[name].cast("string") for name in columns}
    bench.backend.create_view(RAW, found.select(**text).mutate(**{ROW: ibis.row_number()}))
    return columns


def clean_records(bench: Bench, roles: Roles) -> int:
    """Write the rows of the file as records.

    Args:
        bench: Holds `raw`; takes `clean`.
        roles: Which column is which.

    Returns:
        Number of records.

    Raises:
        InputError: An id is missing or used twice.
    """
    raw = bench.table(RAW).order_by(ROW)
    stages = [
        lambda t: tables.cleaned(t, roles),
        tables.with_parts,
        tables.with_keys,
        tables.with_mark,
    ]
    for place, stage in enumerate(stages):
        raw = stage(raw)
        bench.backend.create_view(f"stage_{place}", raw)
        raw = bench.table(f"stage_{place}")
    bench.backend.create_table(CLEAN, raw)
    clean = bench.table(CLEAN)
    counted = clean.group_by("id").aggregate(times=ibis._.count())
    twice = counted.filter((counted.times > 1) | counted.id.isnull()).order_by("id").limit(1)
    for row in bench.arrow(twice).to_pylist():
        if row["id"] is None:
            raise InputError("a row has no id; give every row one, or map another column as id")
        raise InputError(
            f"the id {row['id']!r} stands in {row['times']} rows; ids must name one row each: "
            "map another column as id, or leave the id out"
        )
    return int(bench.arrow(clean.count().as_table())[0][0].as_py())


def count_values(bench: Bench, placed: str) -> None:
    """Count how many records have each value.

    Args:
        bench: Holds the table of numbered records; takes `counted`, the same with
            `n_<column>` for each counted column, empty where the value is.
        placed: Name of the table; it is dropped.
    """
    table = bench.table(placed)
    columns: dict[str, Any] = {"rid_": bench.arrow(table.select("rid")).column(0)}
    for name in tables.counted_columns(table):
        values = bench.arrow(table.select(name)).column(0).combine_chunks().dictionary_encode()
        codes = values.indices.fill_null(0).to_numpy()
        seen = np.bincount(codes, minlength=1).astype(np.int32)[codes]
        if values.null_count:
            seen -= np.where(codes == 0, np.int32(values.null_count), np.int32(0))
        columns[f"n_{name}"] = pa.array(seen, mask=values.is_null().to_numpy(False))
    bench.connection.register("value_counts", pa.table(columns))
    counts = bench.table("value_counts")
    counted = table.join(counts, table.rid == counts.rid_).drop("rid_")
    bench.backend.create_table(COUNTED, counted)
    bench.connection.unregister("value_counts")
    bench.backend.drop_table(placed)
    count_known(bench)


def by_record(bench: Bench, *columns: str) -> pa.Table:
    """Give columns of all records in the order of their numbers.

    Args:
        bench: Holds `counted`.
        columns: Names of columns.

    Returns:
        One row per record.
    """
    found = bench.arrow(bench.table(COUNTED).select("rid", *columns))
    rid = found.column("rid").to_numpy()
    if (np.diff(rid) > 0).all():
        return found.drop_columns("rid")
    return found.drop_columns("rid").take(pa.array(np.argsort(rid)))


def count_known(bench: Bench) -> None:
    """Count how many records have any value, by column.

    Args:
        bench: Holds `counted`; remembers the counts.
    """
    counted = bench.table(COUNTED)
    names = [name for name in counted.columns if not name.startswith("n_")]
    totals = counted.aggregate(**{name: counted[name].count() for name in names})
    bench.known.update(bench.arrow(totals).to_pylist()[0])


def filled(bench: Bench) -> tuple[str, ...]:
    """Name the columns that hold anything."""
    return tuple(name for name, count in bench.known.items() if count)


def show(bench: Bench, own: Mapping[str, float], some: NDArray[Any] | None = None) -> None:
    """Show records to Splink, with how often a stranger has each value.

    Args:
        bench: Holds `counted`; gives the view Splink reads.
        own: By column, records expected to be of the same customer.
        some: Numbers of the records to show; all when left out. Few are shown faster.
    """
    records = bench.table(COUNTED)
    if some is not None:
        wanted = pa.table({"rid": np.unique(some)})
        bench.connection.register("wanted_records", wanted)
        few = records.semi_join(bench.table("wanted_records"), "rid")
        bench.backend.create_table("near", few, overwrite=True)
        bench.connection.unregister("wanted_records")
        records = bench.table("near")
    shown = tables.with_frequencies(records, bench.known, own)
    # Splink copies whatever it is shown.
    shown = shown.drop(*(name for name in _NOT_COMPARED if name in shown.columns))
    bench.backend.create_view(RECORDS, shown, overwrite=True)


def counts_by_record(bench: Bench, columns: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Give how many records have each record's value.

    Args:
        bench: Holds `counted`.
        columns: Counted columns.

    Returns:
        By column, one number per record; nan where the value is missing.
    """
    wanted = list(columns)
    counts = by_record(bench, *(f"n_{name}" for name in wanted))
    return {
        name: np.asarray(counts.column(f"n_{name}").cast("float64").to_numpy(), dtype=float)
        for name in wanted
    }


def is_in_characters(bench: Bench) -> bool:
    """Tell whether most names are written in Chinese characters."""
    counted = bench.table(COUNTED)
    if "surname" not in counted.columns:
        return False
    share = counted.aggregate(share=counted.surname.re_search(_CHINESE).mean())
    value = bench.arrow(share).column(0)[0].as_py()
    return value is not None and value > 0.5
