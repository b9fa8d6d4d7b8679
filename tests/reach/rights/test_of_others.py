"""What is another's stays another's: a shared phone, a gift, an openid, what still is followed."""

import json
import sqlite3
from contextlib import closing

import pyarrow as pa
import pytest
from tests.collect.drain.shop import Shop
from tests.reach.rights.test_everywhere import ASKING, erased, hash_of, lake_row, shop_in

from regulars.adapters.arrow_types import cast_to
from regulars.collect.ingest.drain.service import drain_once
from regulars.collect.ingest.drain.suppression.service import Suppressed
from regulars.errors import Transient
from regulars.govern.access import Role
from regulars.reach.rights.answering.service import give_access
from regulars.reach.rights.declared import HELD, IN_LAKE
from regulars.reach.rights.requests.service import ask, find_request
from regulars.records import TABLES
from regulars.serve.ingest import storing
from regulars.serve.rights import places_of

FAMILY, OWN, BOBS, OPENID, BOTH = (
    "13800195501", "13800195502", "13800195503", "openid-ann-77", "openid-both-8",
)  # fmt: skip


def put(opened, table, **given):
    """Put a row into a table, whatever must stand in its other columns."""
    row = {}
    for place, (_, name, kind, *_rest) in enumerate(
        opened.execute(f"PRAGMA table_info({table})").fetchall()
    ):
        number = hash_of(table, json.dumps(given), place)
        row[name] = f"x{number}" if "TEXT" in kind.upper() else number
    row |= given
    marks = ", ".join(f":{name}" for name in row)
    opened.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)


def event(app, number, who, **said):
    [held] = [held for held in IN_LAKE if held.table == "events"]
    payload = json.dumps({"type": "track", "userId": who} | said)
    named = {"user_id": who, "anonymous_id": None, "payload": payload, "type": "track"}
    return lake_row(app, f"{who}-{number}", held) | named


@pytest.fixture
def shop(tmp_path):
    """Ann and Mum have one phone; Ann sent Bob a gift; a platform knows her by an openid."""
    app = shop_in(tmp_path / "shop")
    family, own, bobs = tokens(app)
    app.protector.protect_column("name", pa.array(["Wei Zhang"]))
    _ = app.state
    with closing(sqlite3.connect(app.folder / "state.db")) as opened:
        opened.execute("PRAGMA ignore_check_constraints=ON")
        for who, space, value in (
            ("ann", "login", "ann"),
            ("c_" + "1" * 20, "phone", own),
            ("c_" + "2" * 20, "openid", OPENID),
            ("c_" + "3" * 20, "openid", BOTH),
            ("c_" + "4" * 20, "device", "tablet-4"),
            ("mum", "login", "mum"),
        ):
            owner = "mum" if who == "mum" else "ann"
            put(
                opened, "identifiers", node=who, namespace=space, value=value, customer_id=owner,
                is_shared=0,
            )  # fmt: skip
        for who, address in (("ann", family), ("mum", family), ("ann", OPENID)):
            put(opened, "contact_addresses", customer_id=who, address=address)
        put(opened, "ledger", key="k-mum", customer_id="mum")
        put(opened, "ledger", key="k-ann", customer_id="ann")
        for name, key, address in (
            ("mums", "k-mum", family),
            ("anns", "k-ann", family),
            ("either", "", family),
            ("granted", "", OPENID),
        ):
            put(
                opened, "receipt_inbox", receipt_id=name, contact_key=key, address_token=address,
                provider_id="p", detail="d", standing="waiting", is_scanner=0, is_permanent=0,
            )  # fmt: skip
        put(
            opened, "coupon_orders", key="till", customer_id="ann",
            asked=json.dumps([{"customer_id": "bob"}, []]), answer="{}",
        )  # fmt: skip
        opened.commit()
    name = app.protector.token("name", "Wei Zhang")
    rows = [
        event(app, 1, "ann", traits={"phone": own, "name": name, "receiver phone": bobs}),
        event(app, 2, "ann", properties={"shipping": {"phone": bobs}}),
        event(app, 3, "mum", context={"externalIds": [{"type": "wx_openid", "id": BOTH}]}),
    ]
    table = TABLES["events"]
    app.lake.append("events", cast_to(table, pa.Table.from_pylist(rows)), application="plant")
    app.state.close()
    return app


def tokens(app):
    app.protector.protect_column("phone", pa.array([FAMILY, OWN, BOBS]))
    return [app.protector.token("phone", one) for one in (FAMILY, OWN, BOBS)]


def receipts(app):
    with app.state.reading() as opened:
        rows = opened.all("SELECT * FROM receipt_inbox")
    return {row["receipt_id"]: row["address_token"] for row in rows}


def dropped(app, who, **said):
    """Whether an event somebody sends from now on is thrown away."""
    payload = json.dumps({"type": "track", "userId": who} | said)
    rows = pa.table({
        "user_id": pa.array([who]),
        "anonymous_id": pa.array([None], pa.string()),
        "payload": [payload],
    })  # fmt: skip
    return Suppressed(app.state, app.protector.hidden_name)(rows).tolist() == [True]


def test_receipts_at_a_phone_two_people_have_stay_the_others(shop):
    family = tokens(shop)[0]
    pack = give_access(places_of(shop), "ann", role=Role.ADMIN, asking=ASKING)
    seen = {row["receipt_id"] for row in pack["rows"]["receipt_inbox"]}

    done = erased(shop, "ann")

    assert done.receipt["left"] == {}
    assert seen == {"anns", "granted"}
    assert receipts(shop) == {"mums": family, "either": family, "anns": "", "granted": ""}
    assert shop.protector.masked([family]) != {}
    assert not dropped(shop, "mum", traits={"phone": family})


def test_whom_a_gift_went_to_keeps_his_number_and_is_heard(shop):
    _, own, bobs = tokens(shop)
    pack = give_access(places_of(shop), "ann", role=Role.ADMIN, asking=ASKING)

    erased(shop, "ann")

    assert "+86" + OWN in pack["clear_values"].values()
    assert "+86" + BOBS not in pack["clear_values"].values()
    assert "bob" not in json.dumps(pack["rows"]["coupon_orders"])
    assert shop.protector.masked([own]) == {}
    assert shop.protector.masked([bobs]) != {}
    assert not dropped(shop, "bob", traits={"phone": bobs})
    assert dropped(shop, "carl", traits={"phone": own})


def test_a_name_is_forgotten_but_its_next_bearer_is_heard(shop):
    name = shop.protector.token("name", "Wei Zhang")

    erased(shop, "ann")

    assert shop.protector.masked([name]) == {}
    assert not dropped(shop, "another-zhang", traits={"name": name})


def test_an_openid_does_not_come_back_unless_somebody_else_has_it(shop):
    def known_as(one):
        return {"context": {"externalIds": [{"type": "wx_openid", "id": one}]}}

    erased(shop, "ann")

    assert dropped(shop, "x", **known_as(OPENID))
    assert dropped(shop, "x", traits={"openid": OPENID})
    assert not dropped(shop, "x", **known_as(BOTH))
    assert not dropped(shop, "x", **known_as("openid-new"))
    assert not dropped(shop, "x", context={"device": {"id": "tablet-4"}})
    assert OPENID not in json.dumps(everything(shop))


def everything(app):
    with app.state.reading() as opened:
        rows = {held.table: opened.all(f"SELECT * FROM {held.table}") for held in HELD}
    return json.loads(json.dumps(rows, default=str))


def test_an_erasure_waits_for_those_who_follow_events(shop, monkeypatch):
    monkeypatch.setattr(storing, "PATIENCE_SECONDS", 0.0)
    settle = places_of(shop).settle
    log = Shop(shop.folder, partitions=shop.settings.ingest.partitions)
    log.send({"type": "track", "event": "Came", "userId": "ann", "messageId": "m-1"})
    running = shop.drain()
    try:
        while running.cycle():
            pass
        running.apply()
        running.say(0, at_once=True)
        # Tables and ledger have it; identity would make her again from what it still holds.
        with pytest.raises(Transient, match="follow"):
            settle()
        drain_once(running)
        running.say(0, at_once=True)
        assert settle() is None
    finally:
        running.close()


def test_an_erasure_does_not_go_on_where_somebody_who_follows_fails(shop, monkeypatch):
    def broken(_self, _batch):
        raise Transient("busy")

    log = Shop(shop.folder, partitions=shop.settings.ingest.partitions)
    log.send({"type": "track", "event": "Came", "userId": "ann", "messageId": "m-1"})
    with monkeypatch.context() as failing:
        failing.setattr(type(shop.followers[0]), "follow", broken)
        with pytest.raises(Transient, match="were not taken in"):
            places_of(shop).settle()

    assert places_of(shop).settle() is None


def test_a_copy_asked_for_again_is_the_same_request_until_it_is_answered(shop):
    places = places_of(shop)
    first = ask(places, "access", "ann", law="cn", asking=ASKING)
    again = ask(places, "access", "ann", law="cn", asking=ASKING)
    of_mum = ask(places, "access", "mum", law="cn", asking=ASKING)
    give_access(places, "ann", role=Role.ADMIN, asking=ASKING, number=first.number)
    later = ask(places, "access", "ann", law="cn", asking=ASKING)

    assert again == first
    assert len({first.number, of_mum.number, later.number}) == 3
    assert find_request(places, first.number).status == "done"
