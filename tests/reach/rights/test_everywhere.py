"""A person is shown and erased wherever something is kept: no byte of him is left on disk."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import openpyxl
import pyarrow as pa
import pytest
from tests.reach.loyalty.conftest import NEUTRAL, ZONE

from regulars.adapters.arrow_types import cast_to
from regulars.adapters.state import SQLState, migrate
from regulars.app import open_app
from regulars.decide.online.log import FOLDER, DecisionLog, rows_in
from regulars.errors import NotAllowed
from regulars.govern.access import Role
from regulars.ports.channels import Contact, Message
from regulars.reach.rights.answering import service as answering
from regulars.reach.rights.answering.service import erase_person, give_access, past_erasure, preview
from regulars.reach.rights.declared import (
    COVERED,
    HELD,
    IN_LAKE,
    LAKE_NOBODY,
    NOBODY,
)
from regulars.reach.rights.law import answer_by, read_law
from regulars.reach.rights.requests.records import Asking, Status
from regulars.reach.rights.requests.service import ask, requests
from regulars.records import TABLES
from regulars.serve.rights import places_of

NOW = datetime(2026, 5, 2, 4, tzinfo=UTC)
ASKING = Asking("command line", NOW)
CANARY, COOKIE, PHONE, OTHER_ID = "canary-91c7", "cookie-91c7", "13800191107", "bystander-5d"
SHORT, LONG = "12", "112"
EVERYBODY = (CANARY, SHORT, LONG, OTHER_ID)
SUBJECTS = frozenset(
    """customer_id holder_id friend_id referrer_id earned_as asked_as survivor other node a b
    old_id subject respondent_id user_id anonymous_id actor""".split()  # noqa: SIM905
)


def shop_in(folder):
    folder.mkdir()
    (folder / "regulars.toml").write_text(
        f'[retailer]\nname = "shop"\ncurrency = "CNY"\nzone = "{ZONE}"\n'
        '[channels.page]\nvia = "onsite"\n[channels.calls]\nvia = "csv"\n'
        '[channels.lists]\nvia = "xlsx"\n[channels.app]\nvia = "outbox"\n',
        encoding="utf-8",
    )
    return open_app(folder, workers=1)


def columns_of(opened, table):
    return opened.all(f"PRAGMA table_info({table})")


def plant_state(opened, who, held):
    """Put a row about somebody into a table, his id in every place that is declared."""
    row, table = {}, held.table
    for place, column in enumerate(opened.execute(f"PRAGMA table_info({table})").fetchall()):
        name, number = column[1], hash_of(table, who, place)
        row[name] = f"{table}-{number}" if "TEXT" in column[2].upper() else number
        if name in held.keys:
            row[name] = f"key/{who}"
        if name in held.emptied:
            row[name] = f"says {who}"
        if name in held.within:
            row[name] = json.dumps({"customer_id": who})
        if name in held.lots:
            row[name] = "[]"
        if name in held.lists:
            row[name] = json.dumps([who, OTHER_ID])
        if name in held.told:
            row[name] = f"{table}/{who}"
        if name in held.subjects:
            row[name] = who
        if name.startswith("is_"):
            row[name] = 0
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    opened.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)


def hash_of(*parts):
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=5).digest()
    return int.from_bytes(digest)


def lake_row(app, who, held):
    """Make a row about somebody for a table of the lake."""
    table = TABLES[held.table]
    row = {}
    for column in table.columns:
        value = NEUTRAL.get(column.type, NOW)
        if column.type == "string":
            value = f"{held.table}-{column.name}-{hash_of(who)}"
        row[column.name] = value
    row |= dict.fromkeys(held.subjects, who)
    row |= {name: f"says {who}" for name in held.emptied}
    if held.table in {"actor_scores", "marked_actors"}:
        row["kind"] = "customer"
    if held.table == "events":
        token = app.protector.token("phone", PHONE if who == CANARY else "13900000001")
        row |= {
            "anonymous_id": COOKIE if who == CANARY else f"cookie of {who}",
            "payload": json.dumps({"userId": who, "phone": token}),
        }
    if held.table == "quarantine":
        row |= {"table": "customers", "row_id": who, "raw": f"{who},x", "value": "x"}
    row.pop("turn", None)
    return row


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A workspace in which somebody, and others beside him, are in every table there is."""
    app = shop_in(tmp_path_factory.mktemp("planted") / "shop")
    _ = app.state
    # Beside the checks of sums, which rows of chance cannot keep.
    with closing(sqlite3.connect(app.folder / "state.db")) as opened:
        opened.execute("PRAGMA ignore_check_constraints=ON")
        for held in HELD:
            if held.subjects and held.table not in {"audit_log", "rights_requests"}:
                for who in EVERYBODY:
                    plant_state(opened, who, held)
        opened.commit()
    for held in IN_LAKE:
        if held.table != "refused_events":
            table = TABLES[held.table]
            turn = {"turn": 1} if "turn" in table.names else {}
            rows = pa.Table.from_pylist([lake_row(app, who, held) for who in EVERYBODY])
            app.lake.append(held.table, cast_to(table, rows, **turn), application="plant")
    known(app)
    elsewhere(app)
    app.state.close()
    return app.folder


@pytest.fixture
def shop(planted, tmp_path):
    """Such a workspace, to be changed."""
    return open_app(shutil.copytree(planted, tmp_path / "shop"), workers=1)


def elsewhere(app):
    """What channels, the store of profiles and the log of decisions keep of everybody."""
    for who in EVERYBODY:
        said = Message(address=f"to {who}", text=f"dear {who}")
        for name in ("page", "calls", "lists"):
            contact = Contact(f"key-{hash_of(who)}", who, "spring", "", name, Decimal(1), NOW)
            app.channels[name].send([replace(contact, message=said)])
        # Of a turn, and of none: two kinds of files.
        for turn in (0, 1):
            key = f"out-{turn}-{hash_of(who)}"
            contact = Contact(key, who, "spring", "", "app", Decimal(1), NOW, turn)
            app.channels["app"].send([contact])
    app.channels["app"].close_turn(1)
    with app.profiles.transaction() as opened:
        for number, who in enumerate(EVERYBODY):
            opened.run("INSERT INTO nodes VALUES (:n, :who, 1)", n=number, who=who)
            opened.run("INSERT INTO activity VALUES (:n, 20000, 1)", n=number)
            opened.run(
                "INSERT INTO orders VALUES (:n, :o, 0, :n, 20000, 1, 's', 1, 0)",
                n=number,
                o=f"o{number}",
            )
            opened.run("INSERT INTO order_lines VALUES (:n, 1, 'p', 1, 1, 0, NULL)", n=number)
            body = json.dumps({"node": who})
            opened.run(
                "INSERT INTO order_versions VALUES (:o, :o, NULL, :body)", o=f"o{number}", body=body
            )
    log = DecisionLog(app.folder)
    for number, who in enumerate(EVERYBODY):
        row = {"decision_id": f"d{number}", "customer_id": who, "turn": 1, "cost": "1.00"}
        log.decided(f"d{number}", msgspec.json.encode(row | {"features": {"recency": 12.5}}))
    log.close()


def known(app):
    """He has a cookie and a phone number, and the vault knows the number; so has another."""
    app.protector.protect_column("phone", pa.array([PHONE, "13900000001"]))
    token = app.protector.token("phone", PHONE)
    with app.state.transaction() as opened:
        opened.run("DELETE FROM identifiers")
        for place, (who, namespace, value) in enumerate((
            (CANARY, "login", CANARY),
            ("c_" + "0" * 20, "cookie", COOKIE),
            ("c_" + "1" * 20, "phone", token),
            (OTHER_ID, "login", OTHER_ID),
            (SHORT, "login", SHORT),
            (LONG, "login", LONG),
        )):
            owner = CANARY if who.startswith("c_") else who
            opened.run(
                """INSERT INTO identifiers VALUES
                   (:node, :namespace, :value, :owner, :place, '2026', '2026', 'x', 0)""",
                node=who,
                namespace=namespace,
                value=value,
                owner=owner,
                place=place,
            )


def erased(app, who=CANARY):
    places = places_of(app)
    number = ask(places, "erase", who, law="cn", asking=ASKING, is_decided=True).number
    return erase_person(places, number, asking=ASKING)


def files_with(folder, *texts):
    """Name the files below a folder that hold one of some texts, however they are compressed."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and any(text.encode() in path.read_bytes() for text in texts):
            found.add(path.relative_to(folder).as_posix())
        if path.suffix == ".xlsx":
            sheet = openpyxl.load_workbook(path).active
            rows = str([[cell.value for cell in row] for row in sheet.iter_rows()])
            if any(text in rows for text in texts):
                found.add(path.relative_to(folder).as_posix())
        if path.suffix == ".parquet" and "_delta_log" not in path.parts:
            rows = str(pa.parquet.read_table(path).to_pylist())
            if any(text in rows for text in texts):
                found.add(path.relative_to(folder).as_posix())
    return found


def others(app, *ids):
    """Every row of others, in every table, in the form it is kept."""
    with app.state.reading() as opened:
        found = {
            held.table: sorted(
                json.dumps(row, default=str)
                for row in opened.all(f"SELECT * FROM {held.table}")
                if any(row[name] in ids for name in held.subjects)
            )
            for held in HELD
            if held.subjects
        }
    for held in IN_LAKE:
        rows = [
            row
            for path in app.lake.files(held.table)
            for row in pa.parquet.read_table(path).to_pylist()
        ]
        found[f"lake {held.table}"] = sorted(
            json.dumps(row, default=str)
            for row in rows
            if any(row[name] in ids for name in held.subjects)
        )
    return found


def undeclared(tables):
    """Name the tables, by their columns, that are not declared, or said to hold nobody wrongly."""
    known = {held.table: held for held in HELD}
    found = set()
    for table, columns in tables.items():
        subjects = SUBJECTS.intersection(columns)
        is_told = table in known or table in NOBODY or table in COVERED
        if not is_told or (table not in known and subjects - _NOT_PEOPLE.get(table, set())):
            found.add(table)
    return found


_NOT_PEOPLE = {table: {"actor", "subject", "other"} for table in (*NOBODY, *COVERED)}
"""Who did something, and what it was done to: staff, campaigns, settings."""


def test_every_table_is_declared_or_said_to_hold_nobody(tmp_path):
    url = f"sqlite:///{tmp_path / 's.db'}"
    migrate(url)
    state = SQLState(url)
    with state.transaction() as opened:
        every = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = {
            row["name"]: {column["name"] for column in columns_of(opened, row["name"])}
            for row in opened.all(every)
        }

    assert undeclared(tables) == set()
    assert undeclared({**tables, "loyalty_gifts": {"customer_id"}}) == {"loyalty_gifts"}
    assert undeclared({**tables, "tags": {"name", "holder_id"}}) == {"tags"}
    for held in HELD:
        named = {*held.subjects, *held.emptied, *held.keys, *held.told, *held.within, *held.lists}
        assert named | {column for column, _ in held.found_by} <= tables[held.table], held.table


def test_every_table_of_the_lake_is_declared_or_said_to_hold_nobody():
    declared = {held.table for held in IN_LAKE}

    assert declared | LAKE_NOBODY == set(TABLES)
    assert not declared & LAKE_NOBODY
    with_subject = {table.name for table in TABLES.values() if table.subject}
    assert with_subject <= declared
    for held in IN_LAKE:
        names = TABLES[held.table].names
        assert {*held.subjects, *held.emptied, *held.hidden} <= set(names)
        subject = TABLES[held.table].subject
        assert subject in held.subjects or not subject


def test_what_is_kept_has_its_reason_and_article():
    reasons = read_law().kept_by_name

    for held in (*HELD, *IN_LAKE):
        assert (held.why in reasons) == (held.erasure in {"proof", "keep"}), held.table
    assert all(one.article for one in reasons.values())


def test_a_copy_has_the_person_from_every_table_and_nobody_else(shop):
    pack = give_access(places_of(shop), CANARY, role=Role.ADMIN, asking=ASKING)

    wanted = {held.table for held in HELD if held.subjects} - {"audit_log", "rights_requests"}
    wanted |= {f"lake.{held.table}" for held in IN_LAKE} - {"lake.refused_events"}
    wanted |= {"profiles.db", "decisions.log", "outbox", "onsite.page", "channels.calls"}
    assert wanted <= set(pack["rows"])
    assert list(pack["clear_values"].values()) == ["+86" + PHONE]
    assert OTHER_ID not in json.dumps(pack["rows"], default=str)
    with pytest.raises(NotAllowed, match="may not see clear values"):
        give_access(places_of(shop), CANARY, role=Role.VIEWER, asking=ASKING)


def test_after_erasure_no_byte_of_the_person_is_in_any_file(shop):
    before = others(shop, OTHER_ID, SHORT, LONG)
    told = preview(places_of(shop), CANARY)
    assert files_with(shop.folder, CANARY, COOKIE)

    done = erased(shop)

    assert files_with(shop.folder, CANARY, COOKIE, PHONE) == set()
    assert (done.status, done.receipt["left"]) == (Status.DONE, {})
    assert done.receipt["rows"] == told.rows
    assert done.receipt["kept"].keys() >= {"consents", "consent_changes", "lake.consents"}
    assert shop.protector.masked([shop.protector.token("phone", PHONE)]) == {}
    assert shop.protector.masked([shop.protector.token("phone", "13900000001")]) != {}
    assert others(shop, OTHER_ID, SHORT, LONG) == before


def test_erasing_a_short_id_changes_no_row_of_an_id_that_holds_it(shop):
    before = others(shop, LONG, OTHER_ID, CANARY)

    done = erased(shop, SHORT)

    assert done.receipt["left"] == {}
    assert others(shop, LONG, OTHER_ID, CANARY) == before
    assert others(shop, SHORT) == {name: [] for name in before}


@pytest.mark.parametrize("forgotten", ["ledger", "contact_addresses"])
def test_a_table_of_the_state_that_is_forgotten_is_found(shop, monkeypatch, forgotten):
    from regulars.reach.rights import service

    left = tuple(held for held in HELD if held.table != forgotten)
    monkeypatch.setattr(service, "HELD", left)

    erased(shop)

    assert files_with(shop.folder, CANARY) == {"state.db"}


def test_a_table_of_the_lake_that_is_forgotten_is_found(shop, monkeypatch):
    from regulars.reach.rights.lake import service

    left = tuple(held for held in IN_LAKE if held.table != "reviews")
    monkeypatch.setattr(service, "IN_LAKE", left)

    erased(shop)

    found = files_with(shop.folder, CANARY)
    assert found
    assert all(name.startswith("lake/reviews/") for name in found)


def test_a_store_that_is_not_scrubbed_still_has_him(shop, monkeypatch):
    monkeypatch.setattr(type(shop), "scrub", lambda _shop: None)

    erased(shop)

    assert any(name.startswith("state.db") for name in files_with(shop.folder, CANARY))


def test_an_erasure_that_was_killed_goes_on_and_ends_in_the_same(shop, tmp_path, monkeypatch):
    whole = open_app(shutil.copytree(shop.folder, tmp_path / "whole"), workers=1)
    wanted = erased(whole)
    places = places_of(shop)
    number = ask(places, "erase", CANARY, law="cn", asking=ASKING, is_decided=True).number
    steps = ("suppress_ids", "erase_rows", "erase_lake_rows", "left_of")
    for step in steps:
        with monkeypatch.context() as dying:
            dying.setattr(answering, step, killed)
            with pytest.raises(KeyboardInterrupt):
                erase_person(places_of(shop), number, asking=ASKING)
        [waiting] = requests(places, only_open=True)
        assert waiting.status is Status.RUNNING
        if step == "erase_lake_rows":
            # A turn of files brings a row back before it goes on.
            with shop.state.transaction() as opened:
                opened.run(
                    "INSERT INTO contact_addresses VALUES (:who, 'sms', 'x', '2026', 'file')",
                    who=CANARY,
                )

    done = erase_person(places_of(shop), number, asking=ASKING)

    assert (done.status, done.receipt["left"]) == (Status.DONE, {})
    assert done.receipt["rows"] == wanted.receipt["rows"]
    assert files_with(shop.folder, CANARY, COOKIE, PHONE) == set()
    same = others(shop, OTHER_ID, SHORT, LONG)
    assert same == others(whole, OTHER_ID, SHORT, LONG)
    with pytest.raises(NotAllowed, match="is done"):
        erase_person(places_of(shop), number, asking=ASKING)
    assert past_erasure(places, CANARY).number == number
    assert past_erasure(places, OTHER_ID) is None


def killed(*_given, **_named):
    raise KeyboardInterrupt


def test_a_request_is_due_as_the_strictest_law_in_force_says():
    assert answer_by("cn", date(2026, 11, 30))[0] == date(2026, 12, 15)
    assert answer_by("cn", date(2019, 12, 1))[0] == date(2019, 12, 16)
    assert answer_by("eu", date(2026, 1, 31))[0] == date(2026, 2, 28)
    with pytest.raises(ValueError, match="no law named"):
        answer_by("us", date(2026, 1, 31))


def test_sums_and_measured_customers_are_what_they_were(shop):
    def total():
        rows = pa.concat_tables(pa.parquet.read_table(one) for one in shop.lake.files("orders"))
        kept = pa.concat_tables(pa.parquet.read_table(one) for one in shop.lake.files("decisions"))
        both = set(rows["customer_id"].to_pylist()) & set(kept["customer_id"].to_pylist())
        return pa.compute.sum(rows["total"]).as_py(), rows.num_rows, len(both), rows.schema

    before = total()

    erased(shop)

    assert total() == before
    assert before[2] == len(EVERYBODY)


def test_what_was_handed_over_is_not_handed_over_again_after_erasure(shop):
    keys = {name: handed_over(shop, name) for name in ("calls", "lists", "app")}
    log = list(rows_in(shop.folder / FOLDER))

    erased(shop)

    assert {name: handed_over(shop, name) for name in keys} == keys
    later = list(rows_in(shop.folder / FOLDER))
    assert later[1:] == log[1:]
    assert later[0]["decision_id"] == log[0]["decision_id"]
    assert (later[0]["cost"], later[0]["features"]) == ("1.00", {})
    assert len(shop.channels["page"].waiting(OTHER_ID, now=NOW, most=9)) == 1
    assert shop.channels["page"].waiting(CANARY, now=NOW, most=9) == []


def handed_over(app, name):
    """Keys in the files of a channel, as whoever opens the workspace anew finds them."""
    kept = (
        open_app(app.folder, workers=1)
        .channels[name]
        .kept_of([*EVERYBODY, *(row["customer_id"] for row in pseudonyms(app))])
    )
    return sorted(row["key"] for row in kept)


def pseudonyms(app):
    return [
        row for path in app.lake.files("orders") for row in pa.parquet.read_table(path).to_pylist()
    ]
