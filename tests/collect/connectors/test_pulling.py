"""Configured sources are read once each, from where they were read up to, whatever interrupts."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests.collect.conftest import table_of

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.state import SQLState, migrate
from regulars.collect.connectors import source_kind
from regulars.collect.connectors.calendar import calendar_days
from regulars.collect.connectors.database import read_table
from regulars.collect.connectors.inbox import receive
from regulars.collect.connectors.service import Pull, pull_source
from regulars.errors import InputError, NotAllowed, NotReady, Transient, UnknownName
from regulars.govern.legal_basis.service import add_legal_basis
from regulars.settings import SourceSettings, read_settings

NOW = datetime(2026, 11, 5, tzinfo=UTC)
PRICES = "taobao_cosmetics_2016_11.parquet"


class Shop:
    def __init__(self, folder, **environment):
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.folder = folder
        self.pull = Pull(
            folder, DeltaLake(folder / "lake"), SQLState(url), "Asia/Shanghai", environment, NOW
        )

    def read(self, kind, via="folder", name="one", **more):
        return self.pulled(kind, via, name, **more).results

    def pulled(self, kind, via="folder", name="one", **more):
        return pull_source(self.pull, name, SourceSettings(kind, via, **more))

    def put(self, kind, folder="files"):
        (self.folder / folder).mkdir(exist_ok=True)
        for sample in source_kind(kind).samples:
            (self.folder / folder / sample.name).write_text(sample.text, encoding="utf-8")

    def rows(self, table):
        return table_of(self.pull.lake, table).to_pylist()


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_folder_is_read_once_and_then_only_what_came_since(shop):
    shop.put("reviews")
    first = shop.read("reviews", path="files")
    again = shop.read("reviews", path="files")
    (shop.folder / "files" / "more.ndjson").write_text(
        '{"id": "v3", "text": "ok", "at": "2026-11-05 10:00"}\n'
        '{"id": "v4", "stars": 9, "at": "2026-11-05 10:00"}\n'
    )

    mapping = '[[file]]\nmatch = "*"\n[file.reviews]\nreview_id = "id"\nbody = "text"\nrating = "stars"\nreviewed_at = "at"\n'
    (shop.folder / "more.toml").write_text(mapping)
    (shop.folder / "files" / "reviews.csv").unlink()
    [later] = shop.read("reviews", path="files", mapping="more.toml")

    assert [(r.stored, r.is_new) for r in first] == [(2, True)]
    assert again == []
    assert (later.stored, later.quarantined) == (1, 1)


def test_a_gated_kind_is_not_read_before_its_basis_is_recorded(shop):
    shop.put("partner")
    with pytest.raises(NotAllowed, match="legal-basis add mall"):
        shop.read("partner", name="mall", path="files")
    assert shop.rows("customers") == []
    add_legal_basis(shop.pull.state, source="mall", kind="partner", basis="separate_consent",
                    evidence="contract 7", actor="ann", now=NOW)  # fmt: skip

    [found] = shop.read("partner", name="mall", path="files")

    assert found.stored == 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"kind": "smell"}, UnknownName, "smell"),
        ({"kind": "reviews", "via": "pigeon"}, UnknownName, "pigeon"),
        ({"kind": "weather", "via": "sql"}, InputError, "cannot be pulled by 'sql'"),
        ({"kind": "sensors", "via": "mqtt"}, InputError, "regulars collect mqtt"),
        ({"kind": "reviews"}, InputError, "needs `path`"),
        ({"kind": "reviews", "path": "nowhere"}, InputError, "there is no folder"),
        ({"kind": "pos", "via": "sql", "url_env": "NO", "table": "t", "cursor": "c"}, NotReady, "NO is empty"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(shop, settings, error, message):
    with pytest.raises(error, match=message):
        if settings["kind"] == "sensors":
            add_legal_basis(shop.pull.state, source="one", kind="ble", basis="consent",
                            evidence="e", actor="a", now=NOW)  # fmt: skip
        pull_source(shop.pull, "one", SourceSettings(**settings))


# --- databases -------------------------------------------------------------------------------


def till(path, rows):
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table if not exists tickets (ticket text, member text, topic text,"
            " opened timestamp, closed timestamp, stars real, n integer)"
        )
        connection.executemany("insert into tickets values (?, ?, ?, ?, ?, ?, ?)", rows)


MAPPING = '[[file]]\nmatch = "*"\n[file.service_tickets]\nticket_id = "ticket"\ncustomer_id = "member"\nopened_at = "opened"\nsatisfaction = "stars"\n'


def ticket(n, cursor=None):
    return (f"t{n}", "m1", "x", "2026-11-02 10:00:00", None, 4.5, n if cursor is None else cursor)


def test_a_table_is_read_from_where_it_was_read_up_to(tmp_path):
    till(tmp_path / "till.db", [ticket(n) for n in range(1, 6)])
    (tmp_path / "m.toml").write_text(MAPPING)
    shop = Shop(tmp_path, TILL=f"sqlite:///{tmp_path / 'till.db'}")
    how = {"via": "sql", "url_env": "TILL", "table": "tickets", "cursor": "n", "mapping": "m.toml"}

    [first] = shop.read("tickets", **how)
    till(tmp_path / "till.db", [ticket(6), ticket(7, cursor=5)])
    [second] = shop.read("tickets", **how)
    third = shop.read("tickets", **how)

    assert (first.stored, first.duplicate) == (5, 0)
    assert (second.stored, second.duplicate) == (2, 1)
    assert [(r.stored, r.duplicate) for r in third] == [(0, 1)]
    assert sorted(row["ticket_id"] for row in shop.rows("service_tickets")) == [
        f"t{n}" for n in range(1, 8)
    ]
    assert not list((tmp_path / "inbox").rglob("*.parquet"))


def test_rows_without_a_cursor_value_are_read_and_told_apart(tmp_path):
    rows = [ticket(1), (*ticket(2)[:-1], None), (*ticket(3)[:-1], None)]
    till(tmp_path / "till.db", rows)
    (tmp_path / "m.toml").write_text(MAPPING)
    shop = Shop(tmp_path, TILL=f"sqlite:///{tmp_path / 'till.db'}")
    how = {"via": "sql", "url_env": "TILL", "table": "tickets", "cursor": "n", "mapping": "m.toml"}

    first = shop.read("tickets", **how)
    till(tmp_path / "till.db", [(*ticket(4)[:-1], None), ticket(5)])
    second = shop.read("tickets", **how)

    assert sum(result.stored for result in first) == 3
    assert sum(result.stored for result in second) == 2
    assert sorted(row["ticket_id"] for row in shop.rows("service_tickets")) == [
        "t1", "t2", "t3", "t4", "t5"
    ]  # fmt: skip


def test_a_read_that_dies_between_files_goes_on_and_repeats_nothing(tmp_path):
    till(tmp_path / "till.db", [ticket(n, cursor=n // 3) for n in range(20)])
    address = f"sqlite:///{tmp_path / 'till.db'}"

    files = list(read_table(address, "tickets", "n", None, tmp_path / "out", most=4))
    after = files[1][1]
    rest = list(read_table(address, "tickets", "n", after, tmp_path / "out", most=4))

    assert [until for _, until in files] == ["1", "3", "5", "6"]
    assert [until for _, until in rest] == ["4", "6"]


def test_nothing_can_be_written_to_the_database_read_from(tmp_path):
    from regulars.collect.connectors import database

    till(tmp_path / "till.db", [ticket(1)])
    engine = database._open(f"sqlite:///{tmp_path / 'till.db'}")
    with engine.connect() as connection:
        database._read_only(connection)
        with pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("delete from tickets")
    engine.dispose()


@pytest.mark.parametrize(
    ("address", "table", "cursor", "error"),
    [
        ("no address", "t", "n", InputError),
        ("oracle9://x", "t", "n", InputError),
        ("sqlite:////no/such/folder/x.db", "t", "n", Transient),
        ("sqlite:///{folder}/rubbish.db", "tickets", "n", InputError),
        (None, "tickets; drop table tickets", "n", UnknownName),
        (None, "tickets", "m", UnknownName),
    ],
)
def test_an_address_table_or_cursor_that_is_wrong_is_said(tmp_path, address, table, cursor, error):
    till(tmp_path / "till.db", [ticket(1)])
    (tmp_path / "rubbish.db").write_bytes(b"no database" * 1000)
    address = (address or "sqlite:///{folder}/till.db").format(folder=tmp_path)

    with pytest.raises(error):
        list(read_table(address, table, cursor, None, tmp_path))


# --- PostgreSQL ------------------------------------------------------------------------------


@pytest.fixture
def server(postgresql):
    """A database of its own on a real PostgreSQL server."""
    address = sa.make_url(postgresql.new_database()).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("create schema shop")
        connection.exec_driver_sql(
            "create table shop.tickets (ticket text, member text, topic text, opened timestamptz,"
            " closed timestamptz, stars numeric(3, 1), n bigint, changed timestamp, day date)"
        )
    yield engine
    engine.dispose()


def put(engine, numbers, *, cursor=None):
    with engine.begin() as connection:
        for n in numbers:
            connection.execute(
                sa.text(
                    "insert into shop.tickets values (:t, 'm1', '投诉 ''x''', "
                    "'2026-11-02 10:00:00+08', null, 4.5, :n, "
                    "timestamp '2026-11-02 10:00:00.000001' + :n * interval '1 hour', "
                    "date '2026-11-01' + cast(:n as int))"
                ),
                {"t": f"t{n}", "n": n if cursor is None else cursor},
            )


def address_of(engine):
    """As people write it: without the driver."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize("cursor", ["n", "changed", "day"])
def test_a_table_of_a_server_is_read_from_where_it_was_read_up_to(tmp_path, server, cursor):
    put(server, range(1, 6))
    (tmp_path / "m.toml").write_text(MAPPING)
    shop = Shop(tmp_path, TILL=address_of(server))
    how = {"via": "sql", "url_env": "TILL", "table": "shop.tickets", "cursor": cursor,
           "mapping": "m.toml"}  # fmt: skip

    [first] = shop.read("tickets", **how)
    put(server, [6])
    put(server, [7], cursor=5)
    [second] = shop.read("tickets", **how)
    again = shop.read("tickets", **how)

    assert (first.stored, first.duplicate) == (5, 0)
    assert (second.stored, second.duplicate) == (2, 1)
    assert [(r.stored, r.duplicate) for r in again] == [(0, 1)]
    rows = {row["ticket_id"]: row for row in shop.rows("service_tickets")}
    assert set(rows) == {f"t{n}" for n in range(1, 8)}
    assert rows["t1"]["opened_at"] == datetime(2026, 11, 2, 2, tzinfo=UTC)


def test_a_large_table_of_a_server_comes_in_files_that_go_on_where_one_died(tmp_path, server):
    with server.begin() as connection:
        connection.exec_driver_sql(
            "insert into shop.tickets (ticket, n) select 't' || g, g / 3 from generate_series(0, 9999) g"
        )

    files = list(read_table(address_of(server), "shop.tickets", "n", None, tmp_path, most=1_000))
    after = files[4][1]
    rest = list(read_table(address_of(server), "shop.tickets", "n", after, tmp_path, most=1_000))

    rows = [row for path, _ in files for row in pq.read_table(path).column("ticket").to_pylist()]
    assert sorted(rows) == sorted(f"t{g}" for g in range(10_000))
    assert len(files) == 10
    assert rest[0][1] >= after
    assert rest[-1][1] == files[-1][1] == "3333"


def test_nothing_can_be_written_to_the_server_read_from(server):
    from regulars.collect.connectors import database

    put(server, [1])
    engine = database._open(address_of(server))
    with engine.connect() as connection:
        database._read_only(connection)
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            connection.exec_driver_sql("delete from shop.tickets")
    engine.dispose()


def test_a_table_or_server_that_is_not_there_is_said_without_the_password(tmp_path, server):
    with pytest.raises(UnknownName, match="tickets"):
        list(read_table(address_of(server), "shop.ticket", "n", None, tmp_path))
    nowhere = sa.make_url(address_of(server)).set(port=1, password="s3cret-word")
    with pytest.raises(Transient) as found:
        list(read_table(nowhere.render_as_string(hide_password=False), "t", "n", None, tmp_path))

    assert "does not answer" in str(found.value)
    assert "s3cret-word" not in str(found.value)


# --- buckets ---------------------------------------------------------------------------------


def free_ports(number, start=21_000):
    """Ports free now, low enough that the store's second ports, 10,000 above, are ports too."""
    found = []
    for port in range(start, start + 9_000, 7):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == number:
            return found
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s3")
    keys = folder / "keys.json"
    keys.write_text(json.dumps({
        "identities": [{
            "name": "shop",
            "credentials": [{"accessKey": "any", "secretKey": "any"}],
            "actions": ["Admin", "Read", "Write", "List"],
        }]
    }))  # fmt: skip
    ports = free_ports(4)
    words = ["server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", f"-s3.config={keys}", "-filer", f"-s3.port={ports[0]}",
             f"-master.port={ports[1]}", f"-volume.port={ports[2]}", f"-filer.port={ports[3]}"]  # fmt: skip
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("weed")), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{ports[0]}"
    yield address
    process.kill()
    process.wait(20)


def test_a_bucket_is_read_once_and_then_only_what_came_since(shop, store, monkeypatch):
    from pyarrow import fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    client = fs.S3FileSystem(
        endpoint_override=store.removeprefix("http://"), scheme="http", allow_bucket_creation=True
    )
    for _ in range(300):
        try:
            client.create_dir("drop")
            break
        except OSError:
            time.sleep(0.2)
    [sample] = source_kind("weather").samples

    def put(name, text):
        with client.open_output_stream(f"drop/weather/{name}") as file:
            file.write(text.encode())

    put("a.csv", sample.text)
    put("note.pdf", "no data")
    how = {"via": "s3", "path": "drop/weather", "endpoint": store}
    [first] = shop.read("weather", **how)
    again = shop.read("weather", **how)
    put("b.csv", sample.text.replace("2026-11-0", "2026-10-0"))
    [later] = shop.read("weather", **how)

    assert (first.stored, again, later.stored) == (2, [], 2)
    with pytest.raises(InputError, match="there is no"):
        shop.read("weather", via="s3", path="drop/nowhere", endpoint=store)


# --- the inbox, the calendar, real data ------------------------------------------------------


def test_what_is_posted_is_kept_once_and_read_at_the_next_pull(shop):
    [sample] = source_kind("receipts").samples
    names = [receive(shop.folder, "sms", sample.text.encode()) for _ in range(2)]

    [found] = shop.read("receipts", via="inbox", name="sms")

    assert (len(set(names)), found.stored) == (1, 3)
    assert {row["kind"] for row in shop.rows("contact_outcomes")} == {
        "delivered",
        "clicked",
        "bounced",
    }
    assert shop.read("receipts", via="inbox", name="email") == []
    for body in (b"{", b"[]", b"7", b" " * (5 << 20)):
        with pytest.raises(InputError):
            receive(shop.folder, "sms", body)


def test_make_up_days_are_as_published_and_unknown_before():
    kinds = {row["day"]: row["kind"] for row in calendar_days("CN", range(2025, 2028))}

    assert [d for d, k in kinds.items() if k == "makeup_workday" and d.year == 2025] == [
        date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
    ]  # fmt: skip
    assert (kinds[date(2025, 10, 1)], kinds[date(2025, 10, 9)], kinds[date(2025, 10, 18)]) == (
        "holiday", "workday", "weekend",
    )  # fmt: skip
    assert {k for d, k in kinds.items() if d.year == 2027} <= {"holiday", "unknown"}
    assert "unknown" not in {row["kind"] for row in calendar_days("US", range(2027, 2028))}


def test_the_calendar_leaves_out_what_is_not_known_yet(shop):
    [found] = shop.read("holidays", via="calendar", first_year=2025, last_year=2027)

    assert found.quarantined == 0
    assert {row["kind"] for row in shop.rows("calendar_days") if row["day"].year == 2027} == {
        "holiday"
    }
    assert sum(row["day"].year == 2025 for row in shop.rows("calendar_days")) == 365
    assert shop.read("holidays", via="calendar", first_year=2025, last_year=2027) == []


def test_real_snapshots_of_competitors_prices_land(shop, shared_data):
    (shop.folder / "files").mkdir()
    shutil.copy(shared_data("cn_ecommerce") / PRICES, shop.folder / "files")

    [found] = shop.read("competitor_prices", path="files")

    assert found.received == found.stored + found.duplicate + found.quarantined == 21_375
    assert found.stored > 21_000
    assert (found.first_day, found.last_day) == (date(2016, 11, 5), date(2016, 11, 11))


def test_sources_are_named_in_the_settings(tmp_path):
    (tmp_path / "regulars.toml").write_text('[sources.reviews]\nkind = "reviews"\npath = "drop"\n')
    settings = read_settings(tmp_path)
    (tmp_path / "regulars.toml").write_text('[sources.reviews]\nkidn = "reviews"\n')

    assert settings.sources == {"reviews": SourceSettings("reviews", path="drop")}
    with pytest.raises(InputError, match="kidn"):
        read_settings(tmp_path)
