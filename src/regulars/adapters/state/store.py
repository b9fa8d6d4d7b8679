"""Transactions over SQLAlchemy on SQLite or PostgreSQL, and the migrations that make the tables."""

import os
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from regulars.adapters.state.queueing import WritersQueue
from regulars.errors import Permanent, Transient
from regulars.ports.state import Statement, Transaction

# Of PostgreSQL's advisory locks, the one that stands for SQLite's one writer at a time.
_WRITERS = 0x72656775
_SQLITE_TAKES = {"transaction": "BEGIN IMMEDIATE", "sharing": "BEGIN IMMEDIATE", "reading": "BEGIN"}
_POSTGRESQL_TAKES = {
    "transaction": "SELECT pg_advisory_xact_lock(:lock)",
    "sharing": "SELECT pg_advisory_xact_lock_shared(:lock)",
    "reading": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
# What PostgreSQL calls a deadlock, a row that changed meanwhile, a lock not had, too many clients.
_PASSING = {"40P01", "40001", "55P03", "53300", "57P03"}
# Each connection of SQLite keeps its statements compiled; all of ours are fewer.
_STATEMENTS_KEPT = 1024


class SQLState:
    """One database: a file of SQLite, or a database of a PostgreSQL server.

    A connection per transaction. Writers wait for each other; those that share wait for none of
    their kind on PostgreSQL. A process that was forked opens its own connections.

    Args:
        url: SQLAlchemy address of the database, such as sqlite:///shop/state.db or
            postgresql://user:word@host/shop.
        is_rebuildable: True for a store that can be made again from elsewhere: a commit then
            outlives a killed process, but the last ones may not outlive a power cut.
    """

    def __init__(self, url: str, *, is_rebuildable: bool = False) -> None:
        """Make the engine; nothing is opened yet."""
        self.dialect = sa.make_url(url).get_backend_name()
        self._is_sqlite = self.dialect == "sqlite"
        if self._is_sqlite:
            given = {"timeout": 60, "cached_statements": _STATEMENTS_KEPT}
            self._engine = sa.create_engine(url, connect_args=given)
            file = sa.make_url(url).database
            self._writers = WritersQueue(Path(file)) if file and file != ":memory:" else None
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            if is_rebuildable:
                sa.event.listen(self._engine, "connect", _relax_sqlite)
        else:
            self._engine = sa.create_engine(driver_url(url), pool_size=20, max_overflow=20)
        self._process = os.getpid()

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Open a write transaction: it takes the write lock at once, commits at the end."""
        with self._begin("transaction") as opened:
            yield opened

    @contextmanager
    def sharing(self) -> Generator[Transaction]:
        """Open a write transaction beside others opened so; on SQLite there is one at a time."""
        with self._begin("sharing") as opened:
            yield opened

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """Open a read transaction over one consistent picture."""
        with self._begin("reading") as opened:
            yield opened

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()

    def compact(self) -> None:
        """Leave nothing on disk of rows that were deleted or changed; may take minutes.

        Raises:
            Transient: Somebody else held the store all the time.
            Permanent: It cannot be written.
        """
        try:
            self._compact()
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            failed = _outside(getattr(error, "orig", error))
            raise failed from error

    def _compact(self) -> None:
        if not self._is_sqlite:
            with self._engine.connect() as server:
                server.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
            return
        pooled = self._engine.raw_connection()
        try:
            connection: Any = pooled.driver_connection
            with self._writers.turn() if self._writers else nullcontext():
                connection.execute("VACUUM")
                # The log beside the file holds the rows as they were until it is begun anew.
                [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            pooled.close()
        if busy:
            raise Transient("state store: somebody reads it; run the same command again")

    @contextmanager
    def _begin(self, kind: str) -> Generator[Transaction]:
        if self._process != os.getpid():
            # Two processes on one connection would read each other's answers.
            self._engine.dispose(close=False)
            self._process = os.getpid()
        try:
            with self._on_sqlite(kind) if self._is_sqlite else self._on_server(kind) as opened:
                yield opened
        except sa.exc.DatabaseError as error:
            if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
                raise
            raise _outside(error.orig) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise _outside(error) from error

    @contextmanager
    def _on_sqlite(self, kind: str) -> Generator[Transaction]:
        """Open a transaction on the driver itself: ours are small, and wait for each other."""
        turn = self._writers.turn() if self._writers and kind != "reading" else nullcontext()
        with turn, self._on_driver(kind) as opened:
            yield opened

    @contextmanager
    def _on_driver(self, kind: str) -> Generator[Transaction]:
        pooled = self._engine.raw_connection()
        try:
            connection: Any = pooled.driver_connection
            connection.execute(_SQLITE_TAKES[kind])
            yield _OnSQLite(connection)
            connection.commit()
        finally:
            # What was not committed is rolled back as the connection returns to its pool.
            pooled.close()

    @contextmanager
    def _on_server(self, kind: str) -> Generator[Transaction]:
        """Open a transaction with the lock that goes with its kind."""
        with self._engine.connect() as connection:
            lock = {} if kind == "reading" else {"lock": _WRITERS}
            connection.execute(_parsed(_POSTGRESQL_TAKES[kind]), lock)
            yield _OnServer(connection, self.dialect)
            connection.commit()


class _OnSQLite:
    """Statements on one open connection; the driver reads named values itself."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, /, **values: Any) -> list[dict[str, Any]]:
        cursor = self._connection.execute(str(sql), values)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def run(self, sql: str, /, **values: Any) -> int:
        return int(self._connection.execute(str(sql), values).rowcount)

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        if not rows:
            return 0
        # The driver takes values by name from dictionaries only.
        given = (row if isinstance(row, dict) else dict(row) for row in rows)
        return int(self._connection.executemany(str(sql), given).rowcount)


class _OnServer:
    """Statements on one open connection to a server, each in the variant it speaks."""

    def __init__(self, connection: sa.Connection, dialect: str) -> None:
        self._connection, self._dialect = connection, dialect

    def all(self, sql: str, /, **values: Any) -> list[dict[str, Any]]:
        return _mappings(self._connection.execute(self._text(sql), values))

    def run(self, sql: str, /, **values: Any) -> int:
        return int(self._connection.execute(self._text(sql), values).rowcount)

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        if not rows:
            return 0
        given = [dict(row) for row in rows]
        return int(self._connection.execute(self._text(sql), given).rowcount)

    def _text(self, sql: str) -> sa.TextClause:
        return _parsed(sql.spoken(self._dialect) if isinstance(sql, Statement) else sql)


@lru_cache(maxsize=1024)
def _parsed(sql: str) -> sa.TextClause:
    return sa.text(sql)


def _mappings(result: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def driver_url(url: str) -> str:
    """Name the driver we bring for PostgreSQL, where the address names none.

    Returns:
        The address; others unchanged.
    """
    named = sa.make_url(url)
    if named.drivername in {"postgresql", "postgres"}:
        named = named.set(drivername="postgresql+psycopg")
    return named.render_as_string(hide_password=False)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _relax_sqlite(connection: Any, _record: object) -> None:
    # Who reads beside a writer finds no page kept from before: reading it where it lies is cheaper.
    for pragma in ("synchronous=NORMAL", f"mmap_size={1 << 30}"):
        connection.execute(f"PRAGMA {pragma}")


def _outside(error: BaseException | None) -> Transient | Permanent:
    passes = "locked" in str(error) or getattr(error, "sqlstate", "") in _PASSING
    kind = Transient if passes else Permanent
    return kind(
        f"state store: {str(error).strip()}; check that it can be reached, its free space and "
        "its permissions (regulars doctor), then run the same command again"
    )


def migrate(url: str) -> None:
    """Bring the database to the newest schema; made when it does not exist.

    Raises:
        Permanent: The database cannot be opened or written.
        Transient: Somebody else holds it.
    """
    from alembic import command  # noqa: PLC0415 - slow to import, used once

    try:
        command.upgrade(_alembic(url), "head")
    except sa.exc.DatabaseError as error:
        failed = _outside(error.orig)
        raise failed from error


def schema_version(url: str) -> tuple[str | None, str]:
    """Give the schema version of the database and the newest one there is."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    newest = ScriptDirectory.from_config(_alembic(url)).get_current_head() or ""
    engine = sa.create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), newest
    finally:
        engine.dispose()


def _alembic(url: str) -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(str(files(__package__))) / "migrations"))
    config.set_main_option("recursive_version_locations", "true")
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config
