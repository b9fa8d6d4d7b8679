"""Transactions over SQLAlchemy, and the migrations that make the tables."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from regulars.errors import Permanent, Transient
from regulars.ports.state import Transaction


class SQLState:
    """One database file. A connection per transaction; writers wait for each other.

    Args:
        url: SQLAlchemy address of the database, such as sqlite:///shop/state.db.
        is_rebuildable: True for a store that can be made again from elsewhere: a commit then
            outlives a killed process, but the last ones may not outlive a power cut.
    """

    def __init__(self, url: str, *, is_rebuildable: bool = False) -> None:
        """Make the engine; nothing is opened yet."""
        self.dialect = sa.make_url(url).get_backend_name()
        self._engine = sa.create_engine(
            url, connect_args={"timeout": 60} if self.dialect == "sqlite" else {}
        )
        if self.dialect == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            if is_rebuildable:
                sa.event.listen(self._engine, "connect", _relax_sqlite)

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Open a write transaction: it takes the write lock at once, commits at the end."""
        with self._begin("BEGIN IMMEDIATE") as opened:
            yield opened

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """Open a read transaction over one consistent picture."""
        with self._begin("BEGIN") as opened:
            yield opened

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()

    @contextmanager
    def _begin(self, begin: str) -> Generator[Transaction]:
        try:
            with self._engine.connect() as connection:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql(begin)
                yield _Transaction(connection)
                connection.commit()
        except sa.exc.DatabaseError as error:
            if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
                raise
            raise _outside(error) from error


class _Transaction:
    """Statements on one open connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, /, **values: Any) -> list[dict[str, Any]]:
        result = self._connection.execute(sa.text(sql), values)
        return [dict(row) for row in result.mappings()]

    def run(self, sql: str, /, **values: Any) -> int:
        return int(self._connection.execute(sa.text(sql), values).rowcount)

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        if not rows:
            return 0
        return int(self._connection.execute(sa.text(sql), [dict(row) for row in rows]).rowcount)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _relax_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def _outside(error: sa.exc.DatabaseError) -> Transient | Permanent:
    kind = Transient if "locked" in str(error.orig) else Permanent
    return kind(
        f"state store: {error.orig}; check free space and permissions of its folder "
        "(regulars doctor), then run the same command again"
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
        failed = _outside(error)
        raise failed from error


def schema_version(url: str) -> tuple[str | None, str]:
    """Give the schema version of the database and the newest one there is."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    newest = ScriptDirectory.from_config(_alembic(url)).get_current_head() or ""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), newest
    finally:
        engine.dispose()


def _alembic(url: str) -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(str(files(__package__))) / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
