"""A migration killed at any statement leaves nothing half-made: calling it again completes it."""

import sqlite3

import pytest
import sqlalchemy as sa

from regulars.adapters.state import store
from regulars.adapters.state.store import migrate, schema_version


class Killed(BaseException):
    """What stops the process in the middle of a migration."""


@pytest.fixture(name="kill_at")
def kill_before_a_statement():
    """Give a function: the process ends before the n-th statement that changes the schema."""
    state = {"left": None}

    def stop(_connection, _cursor, statement, *_rest):
        if state["left"] is None or not statement.lstrip().upper().startswith((
            "CREATE",
            "ALTER",
            "INSERT",
            "UPDATE",
            "DROP",
        )):
            return
        state["left"] -= 1
        if state["left"] < 0:
            raise Killed

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", stop)
    yield lambda number: state.update(left=number)
    sa.event.remove(sa.engine.Engine, "before_cursor_execute", stop)


def schema(path):
    with sqlite3.connect(path) as opened:
        return sorted(opened.execute("SELECT type, name, sql FROM sqlite_master").fetchall())


def test_a_migration_killed_at_any_statement_is_completed_when_called_again(tmp_path, kill_at):
    migrate(f"sqlite:///{tmp_path / 'whole.db'}")
    whole, number = schema(tmp_path / "whole.db"), 0

    while True:
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        kill_at(number)
        try:
            migrate(url)
        except Killed:
            kill_at(None)
            migrate(url)
            assert schema(tmp_path / f"{number}.db") == whole
            assert len(set(schema_version(url))) == 1
            number += 1
        else:
            break

    assert number > 20


def test_the_killed_migration_would_be_seen(tmp_path, kill_at, monkeypatch):
    """Without our hand on transactions the driver commits each table: the bug of old."""
    real = store._alembic

    def careless(url):
        config = real(url)
        monkeypatch.setattr(
            sa.event, "listens_for", lambda *_args, **_options: lambda function: function
        )
        return config

    monkeypatch.setattr(store, "_alembic", careless)
    url = f"sqlite:///{tmp_path / 'careless.db'}"
    kill_at(5)

    with pytest.raises(Killed):
        migrate(url)
    kill_at(None)

    with pytest.raises(Exception, match="already exists"):
        migrate(url)
