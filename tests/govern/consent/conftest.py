"""A state store words of consent are noted in."""

import shutil
from datetime import UTC, datetime

import pytest

from regulars.adapters.state import SQLState, migrate

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def newest_database(tmp_path_factory):
    """A state store with the newest schema and nothing in it."""
    file = tmp_path_factory.mktemp("consent") / "state.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def state(tmp_path, newest_database):
    shutil.copy(newest_database, tmp_path / "state.db")
    found = SQLState(f"sqlite:///{tmp_path / 'state.db'}")
    yield found
    found.close()


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def rows(state):
    """Read rows of the state: `rows("select ...")`."""

    def read(sql, **values):
        with state.reading() as opened:
            return [tuple(row.values()) for row in opened.all(sql, **values)]

    return read
