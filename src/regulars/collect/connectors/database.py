"""A table of a database, read only, from where it was read up to, as files."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from regulars.errors import InputError, Transient, UnknownName

FILE_ROWS = 50_000


def read_table(
    address: str, table: str, cursor: str, after: str | None, folder: Path, *, most: int = FILE_ROWS
) -> Iterator[tuple[Path, str | None]]:
    """Write the rows of a table that are new, as Parquet files of text.

    Rows that stand at the value read up to are read again: others may have come to the same
    value since, and importing a row twice changes nothing. For the same reason rows without a
    value are read each time, before all others: nothing says whether they are new.

    Args:
        address: SQLAlchemy address of the database.
        table: The table, or "schema.table".
        cursor: Column that only grows: a number, a date or a moment.
        after: Value read up to; None to read all.
        folder: Where the files go.
        most: Rows of a file, more only when they share one cursor value.

    Yields:
        A file, and the value it reads up to, to be kept once the file is imported; None for
        rows without a value.

    Raises:
        UnknownName: There is no such table or column.
        InputError: The address cannot be used, or what is there is no such database.
        Transient: The database does not answer.
    """
    engine = _open(address)
    try:
        yield from _new_files(engine, table, cursor, after, folder, most)
    except sa.exc.OperationalError as error:
        raise Transient(
            f"the database does not answer: {error.orig}; check its address and that it runs"
        ) from error
    except sa.exc.DBAPIError as error:
        raise InputError(
            f"{table} cannot be read: {error.orig}; check the address and what its user may read"
        ) from error
    finally:
        engine.dispose()


def _new_files(
    engine: sa.Engine, table: str, cursor: str, after: str | None, folder: Path, most: int
) -> Iterator[tuple[Path, str | None]]:
    with engine.connect() as connection:
        _read_only(connection)
        known = _table(connection, table, cursor)
        column = known.c[cursor]
        streaming = connection.execution_options(stream_results=True)
        without = sa.select(known).where(column.is_(None)).order_by(*known.primary_key)
        for number, part in enumerate(_cut(streaming.execute(without).mappings(), most)):
            path = folder / f"{table}-without-{number}-{len(part)}.parquet"
            yield _written(path, part, known.columns.keys()), None
        wanted = sa.select(known).where(column.is_not(None)).order_by(column)
        if after is not None:
            wanted = wanted.where(column >= _typed(after, column))
        rows = streaming.execute(wanted).mappings()
        for part in _parts(rows, cursor, most):
            path = folder / f"{table}-{_file_word(part[0][cursor])}-{len(part)}.parquet"
            yield _written(path, part, known.columns.keys()), _text(part[-1][cursor])


def _open(address: str) -> sa.Engine:
    try:
        url = sa.make_url(address)
        plain = url.drivername in {"postgresql", "postgres"}
        return sa.create_engine(url.set(drivername="postgresql+psycopg") if plain else url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise InputError(
            f"the database address cannot be used ({type(error).__name__}); it must be such as "
            "sqlite:///till.db or postgresql://user:password@host/name, and its driver "
            "must be installed"
        ) from error


def _read_only(connection: sa.Connection) -> None:
    """Make writing impossible, so that a slip cannot harm the system read from."""
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif name in {"postgresql", "mysql", "mariadb"}:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _table(connection: sa.Connection, name: str, cursor: str) -> sa.Table:
    schema, _, plain = name.rpartition(".")
    try:
        known = sa.Table(plain, sa.MetaData(), schema=schema or None, autoload_with=connection)
    except sa.exc.NoSuchTableError as error:
        names = sa.inspect(connection).get_table_names(schema or None)
        raise UnknownName("table of the database", name, names) from error
    if cursor not in known.c:
        raise UnknownName(f"column of {name}", cursor, known.c.keys())
    return known


def _typed(value: str, column: sa.Column[Any]) -> Any:
    kind = column.type.python_type
    if kind in {datetime, date}:
        return kind.fromisoformat(value)
    return kind(value)


def _cut(rows: Any, most: int) -> Iterator[list[dict[str, Any]]]:
    """Cut rows into parts."""
    found = map(dict, rows)
    while part := list(islice(found, most)):
        yield part


def _parts(rows: Any, cursor: str, most: int) -> Iterator[list[dict[str, Any]]]:
    """Cut rows into parts that end where the cursor changes."""
    part: list[dict[str, Any]] = []
    for row in rows:
        if len(part) >= most and row[cursor] != part[-1][cursor]:
            yield part
            part = []
        part.append(dict(row))
    if part:
        yield part


def _written(path: Path, part: list[dict[str, Any]], names: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array([_cell(row[name]) for row in part], pa.string()) for name in names}
    pq.write_table(pa.table(columns), path)
    return path


def _cell(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, bytes):
        return value.hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file_word(value: Any) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in _text(value))
