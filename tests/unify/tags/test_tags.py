"""Tags: kept in versions, met by rule, score, trait or hand, given, removed, expired."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from tests.unify.online.conftest import ZONE, Shop, row

from regulars.adapters.arrow_types import cast_to
from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import newest
from regulars.records import TABLES, Turn
from regulars.unify.profiles.online.loading.service import load_facts
from regulars.unify.profiles.step import build_profiles
from regulars.unify.tags.definitions import lineage
from regulars.unify.tags.live.service import count, history, members_now, tags_online
from regulars.unify.tags.service import (
    all_marks,
    delete_tag,
    find_tag,
    give,
    keep_tag,
    list_tags,
    marks_of,
    read_tag,
    remove,
    tag_versions,
)
from regulars.unify.tags.step import tag_customers

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
DAY = date(2026, 3, 1)
VIEWS = {"event": "Product Viewed", "days": 30, "is": ">=", "value": 2}
LOOKERS = {"kind": "rule", "definition": {"rule": VIEWS}}


@pytest.fixture
def shop(tmp_path):
    """Give a shop of three customers, one of whom looks at things."""
    opened = Shop(tmp_path)
    opened.put("customers", [{"customer_id": f"u{n}", "city": "Wuhan"} for n in (1, 2, 3)])
    views = [
        row(f"m{n}", NOW - timedelta(days=n), event="Product Viewed", user="u1") for n in range(3)
    ]
    vip = row("v", NOW, kind="identify", user="u2", traits={"vip": True})
    opened.tell([*views, vip])
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    opened.state = SQLState(url)
    yield opened
    opened.close()
    opened.state.close()


def keep(shop, name, given):
    return keep_tag(shop.state, read_tag(name, given), actor="mei", now=NOW)


def turn(shop, number=1, day=DAY, scores=()):
    """Look: profiles, scores, tags."""
    at = Turn(number, day, NOW, 7)
    build_profiles.run(shop.engine.bound(build_profiles, number), at, zone=ZONE, margin_rate=0.25)
    if scores:
        table = TABLES["customer_values"]
        blank = dict.fromkeys(table.names[2:], 0.0) | dict.fromkeys(table.names[-3:], "x")
        rows = [{"customer_id": c, **blank, "p_alive": p} for c, p in scores]
        data = cast_to(table, pa.Table.from_pylist(rows), turn=number)
        shop.lake.overwrite_turn("customer_values", data, application="test", turn=number)
    tag_customers.run(
        shop.engine.bound(tag_customers, number),
        at,
        tags=list_tags(shop.state),
        marks=all_marks(shop.state, zone=ZONE, aliases={}),
    )
    rows = shop.engine.rows(shop.engine.table("tag_members").order_by("turn", "tag", "customer_id"))
    return {(r["tag"], r["customer_id"]) for r in rows if r["turn"] == number and r["is_member"]}


def has_online(shop, customer, day=DAY):
    profile = shop.online.of(customer, [customer], as_of=day)
    marks = marks_of(shop.state, [customer], zone=ZONE)
    return tags_online(list_tags(shop.state), profile, marks=marks)


def test_each_kind_of_tag_finds_its_members(shop):
    keep(shop, "lookers", LOOKERS)
    alive = {"table": "customer_values", "column": "p_alive", "at_least": 0.5}
    keep(shop, "alive", {"kind": "model", "definition": alive})
    keep(shop, "vip", {"kind": "source", "definition": {"trait": "vip", "value": "true"}})
    keep(shop, "friends", {"kind": "manual"})
    give(shop.state, "friends", ["u3"], actor="mei", now=NOW)

    found = turn(shop, scores=[("u1", 0.4), ("u3", 0.5)])

    assert found == {("lookers", "u1"), ("alive", "u3"), ("vip", "u2"), ("friends", "u3")}
    assert members_now(shop.engine, list_tags(shop.state)) == {
        "alive": 1,
        "friends": 1,
        "lookers": 1,
        "vip": 1,
    }


def test_online_says_what_the_turn_says(shop):
    keep(shop, "lookers", LOOKERS)
    keep(shop, "vip", {"kind": "source", "definition": {"trait": "vip"}})
    keep(shop, "friends", {"kind": "manual"})
    give(shop.state, "friends", ["u2"], actor="mei", now=NOW)
    remove(shop.state, "lookers", ["u1"], actor="mei", now=NOW)
    found = turn(shop)
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=DAY)

    online = {(tag, c) for c in ("u1", "u2", "u3") for tag in has_online(shop, c)}

    assert online == found == {("vip", "u2"), ("friends", "u2")}


def test_a_removed_tag_stays_removed_until_it_is_given_again(shop):
    keep(shop, "lookers", LOOKERS)
    assert turn(shop) == {("lookers", "u1")}

    remove(shop.state, "lookers", ["u1"], actor="mei", now=NOW)
    assert turn(shop, 2) == turn(shop, 3) == set()

    give(shop.state, "lookers", ["u1"], actor="mei", now=NOW + timedelta(minutes=1))
    assert turn(shop, 4) == {("lookers", "u1")}
    assert [(c.change, c.turn) for c in history(shop.engine, "u1")] == [
        ("entered", 4),
        ("left", 2),
        ("entered", 1),
    ]


def test_a_tag_kept_for_days_leaves_after_them_and_does_not_come_straight_back(shop):
    keep(shop, "lookers", LOOKERS | {"keep_days": 7})

    assert turn(shop) == {("lookers", "u1")}
    assert turn(shop, 2, DAY + timedelta(days=6)) == {("lookers", "u1")}
    assert turn(shop, 3, DAY + timedelta(days=7)) == set()
    assert turn(shop, 4, DAY + timedelta(days=14)) == set()
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=DAY + timedelta(days=14))
    assert has_online(shop, "u1", DAY + timedelta(days=14)) == []
    assert has_online(shop, "u1", DAY + timedelta(days=6)) == ["lookers"]


def test_a_tag_has_no_members_after_its_last_day(shop):
    keep(shop, "lookers", LOOKERS | {"expires_on": "2026-03-01"})

    assert turn(shop) == {("lookers", "u1")}
    assert has_online(shop, "u1") == ["lookers"]
    assert turn(shop, 2, DAY + timedelta(days=1)) == set()
    assert has_online(shop, "u1", DAY + timedelta(days=1)) == []


def test_a_count_needs_no_turn_of_its_own_and_keeps_nothing(shop):
    written = read_tag("counted", LOOKERS)
    assert count(shop.engine, written, aliases={}).as_of is None
    turn(shop)

    found = count(shop.engine, written, aliases={}, sample=5)

    assert (found.customers, found.known, found.as_of, found.sample) == (1, 3, DAY, ["u1"])
    assert list_tags(shop.state) == []


def test_an_edit_is_a_new_version_and_a_deleted_tag_leaves_its_versions(shop):
    keep(shop, "lookers", LOOKERS)
    keep(shop, "lookers", LOOKERS | {"description": "look and do not buy"})
    assert find_tag(shop.state, "lookers").version == 2
    give(shop.state, "lookers", ["u3"], actor="mei", now=NOW)

    delete_tag(shop.state, "lookers", actor="li", now=NOW)

    assert list_tags(shop.state) == []
    with pytest.raises(UnknownName, match="no tag named 'lookers'"):
        give(shop.state, "lookers", ["u3"], actor="mei", now=NOW)
    versions = tag_versions(shop.state, "lookers")
    assert [(v.tag.version, v.actor, v.is_deleted) for v in versions] == [
        (1, "mei", False),
        (2, "mei", False),
        (3, "li", True),
    ]
    keep(shop, "lookers", LOOKERS)
    assert turn(shop) == {("lookers", "u1")}
    assert [entry.action for entry in newest(shop.state)][1:] == [
        "tag.delete",
        "tag.given",
        "tag.keep",
        "tag.keep",
    ]


def test_a_tag_says_what_it_is_read_from_and_whose_it_is(shop):
    rule = {"all": [VIEWS, {"field": "orders_30d", "is": "=", "value": 0}]}
    tag = keep(shop, "lookers", {"kind": "rule", "definition": {"rule": rule}})

    assert lineage(tag) == ["events: Product Viewed", "profiles.orders_30d"]
    assert tag.owner == "mei"


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("a/b", {"kind": "manual"}, "tag name is 'a/b', must be 1 to 64 characters"),
        (
            "a",
            {"kind": "guess"},
            "no kind of tag named 'guess'; known: manual, model, rule, source",
        ),
        ("a", {"kind": "rule"}, "definition of a rule tag has no rule"),
        (
            "a",
            {"kind": "manual", "definition": {"rule": {}}},
            "definition of a manual tag has 'rule'",
        ),
        ("a", {"kind": "model", "definition": {"table": "orders"}}, "no table of scores named"),
        (
            "a",
            {"kind": "model", "definition": {"table": "rfm_scores", "column": "frequency"}},
            "needs at_least or at_most",
        ),
        (
            "a",
            {"kind": "source", "definition": {"trait": "a b"}},
            "trait is 'a b', must be the key",
        ),
        ("a", {"kind": "manual", "keep_days": 0}, "keep_days is 0, must be from 1 to 3660"),
        ("a", {"kind": "manual", "expires_on": "soon"}, "expires_on is 'soon', must be a day"),
        ("a", {"kind": "manual", "colour": "red"}, "tag has 'colour'; known:"),
    ],
)
def test_what_is_wrong_with_a_tag_is_said(name, given, says):
    with pytest.raises(InputError) as raised:
        read_tag(name, given)

    assert says in str(raised.value)
