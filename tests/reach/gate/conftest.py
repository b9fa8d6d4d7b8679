"""A gate over a real state store: SQLite, and PostgreSQL where a server is installed."""

import shutil

import pytest
from tests.reach.gate.desks import Desk, new_database

from regulars.adapters.state import SQLState, migrate


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A SQLite store with the newest schema and nothing in it."""
    file = tmp_path_factory.mktemp("blank") / "state.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def blank_database(postgresql):
    """The name of a database on the server with the newest schema and nothing in it."""
    return new_database(postgresql).rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request, tmp_path, blank):
    """A desk with one customer, ann, who allows marketing on every channel."""
    if request.param == "sqlite":
        shutil.copy(blank, tmp_path / "state.db")
        url = f"sqlite:///{tmp_path / 'state.db'}"
    else:
        like = request.getfixturevalue("blank_database")
        url = request.getfixturevalue("postgresql").new_database(like=like)
    state = SQLState(url)
    made = Desk(state)
    made.says("ann")
    yield made
    state.close()
