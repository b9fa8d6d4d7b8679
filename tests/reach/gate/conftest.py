"""A gate over a real state store: SQLite, and PostgreSQL where a server is installed."""

import shutil

import pytest
from tests.reach.gate.desks import SERVER, Desk, new_database, postgresql_server

from regulars.adapters.state import SQLState, migrate


@pytest.fixture(scope="session")
def postgresql():
    if not (SERVER / "initdb").exists():
        pytest.skip("no PostgreSQL server is installed here")
    with postgresql_server() as address:
        yield address


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A SQLite store with the newest schema and nothing in it."""
    file = tmp_path_factory.mktemp("blank") / "state.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request, tmp_path, blank):
    """A desk with one customer, ann, who allows marketing on every channel."""
    if request.param == "sqlite":
        shutil.copy(blank, tmp_path / "state.db")
        url = f"sqlite:///{tmp_path / 'state.db'}"
    else:
        url = new_database(request.getfixturevalue("postgresql"), "gate")
    state = SQLState(url)
    made = Desk(state)
    made.says("ann")
    yield made
    state.close()
