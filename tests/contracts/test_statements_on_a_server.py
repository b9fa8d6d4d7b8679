"""Every named statement of the state store is one that PostgreSQL understands."""

import re
from pathlib import Path

import pytest

import regulars
from regulars.adapters.state import migrate
from regulars.ports.state import Queries

SRC = Path(regulars.__file__).parent
# Stores of their own, always files of SQLite: online profiles, the vault, what waits on site.
ELSEWHERE = {
    "unify/profiles/online",
    "unify/profiles/online/forgetting",
    "govern/protection",
    "adapters/channels/onsite",
}


def rooms():
    found = (file.parent.relative_to(SRC).as_posix() for file in SRC.rglob("queries.sql"))
    return sorted(set(found) - ELSEWHERE)


@pytest.fixture(scope="module")
def connection(postgresql):
    import psycopg

    url = postgresql.new_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened


def numbered(sql):
    """Named values as the server numbers them."""
    names = sorted(set(re.findall(r"(?<![:\w]):(\w+)", sql)))
    return re.sub(r"(?<![:\w]):(\w+)", lambda found: f"${names.index(found[1]) + 1}", sql)


def refused(connection, statements):
    import psycopg

    found = {}
    for name, sql in statements.items():
        try:
            connection.execute(f"PREPARE tried AS {numbered(sql)}")
            connection.execute("DEALLOCATE tried")
        except psycopg.Error as error:
            found[name] = str(error).partition("\n")[0]
    return found


@pytest.mark.parametrize("room", rooms())
def test_the_server_understands_every_statement(connection, room):
    queries = Queries("regulars." + room.replace("/", "."))
    statements = {name: text.spoken("postgresql") for name, text in queries._statements.items()}

    assert statements
    assert refused(connection, statements) == {}


def test_a_statement_only_sqlite_understands_would_be_seen(connection):
    assert refused(connection, {"wrong": "INSERT OR IGNORE INTO watermarks VALUES ('a', 'b')"})
    assert refused(connection, {"other": "SELECT * FROM no_such_table WHERE name = :name"})
