"""Identity: who is one customer, why, and that every merge can be taken back."""

import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.batch import EventBatch
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import newest
from regulars.unify.identity.graph import Standing, components, name_of
from regulars.unify.identity.identifiers import Identifier, identifiers_of, parted_by
from regulars.unify.identity.junk import junk_nodes
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import (
    IdentityFollower,
    adopt,
    aliases,
    explain,
    household,
    link,
    members,
    merge,
    owner,
    present_ids,
    resolve,
    unmerge,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def tok(kind, number):
    return f"tok_{kind}_{number:032x}"


def event(user=None, cookie=None, *, kind="track", day=0, **named):
    """One row of the table `events`; other identifiers by namespace."""
    ids = [{"type": name, "id": value} for name, value in named.items() if name != "previous"]
    payload = {"context": {"externalIds": ids}}
    if "previous" in named:
        payload["previousId"] = named["previous"]
    return {
        "source": "web",
        "message_id": json.dumps([user, cookie, named, day], sort_keys=True),
        "type": kind,
        "event": "Product Viewed",
        "received_at": NOW + timedelta(days=day),
        "user_id": user,
        "anonymous_id": cookie,
        "payload": json.dumps(payload),
    }


@cache
def empty_state():
    """A state store with the newest schema; migrating takes longer than a test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


class Shop:
    """A state store that follows batches."""

    def __init__(self, folder, junk=()):
        path = Path(folder) / "state.db"
        path.write_bytes(empty_state())
        self.state = SQLState(f"sqlite:///{path}")
        self.follower = IdentityFollower(self.state, junk=junk)
        self.sequence = 0

    def see(self, *rows):
        """Take rows in, each in a batch of its own."""
        for row in rows:
            self.follow([row])
        return self

    def follow(self, rows):
        self.sequence += 1
        self.follower.follow(EventBatch(0, self.sequence, pa.Table.from_pylist(rows)))

    def whose(self, namespace, value):
        return owner(self.state, namespace, value)

    def everything(self):
        """Every identifier as it stands."""
        with self.state.reading() as reading:
            rows = reading.all("select * from identifiers order by node")
        return {row["node"]: row for row in rows}

    def owners(self):
        return {node: row["customer_id"] for node, row in self.everything().items()}

    def edges(self):
        with self.state.reading() as reading:
            return reading.all("select * from identity_edges order by a, b, kind")

    def merges(self):
        with self.state.reading() as reading:
            return reading.all("select * from merge_log order by number")


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def check_graph(shop):
    """What must always hold, whatever came in."""
    rows = list(shop.everything().values())
    nodes = {node.node: node for customer in {r["customer_id"] for r in rows}
             for node in members(shop.state, customer)}  # fmt: skip
    by_customer = {}
    for node in nodes.values():
        by_customer.setdefault(node.customer_id, []).append(node)
    edges = explain_edges(shop)
    tree = [e for e in edges if e.standing is Standing.JOINS]
    assert all(nodes[e.a].customer_id == nodes[e.b].customer_id for e in edges if e.is_valid)
    parts = components(list(nodes), tree)
    assert sorted(map(sorted, parts)) == sorted(
        sorted(n.node for n in held) for held in by_customer.values()
    )
    assert len(tree) == len(nodes) - len(parts)
    for customer, held in by_customer.items():
        assert name_of(held) == customer
        assert sum(node.namespace == "login" for node in held) <= 1


def explain_edges(shop):
    customers = sorted(set(shop.owners().values()))
    edges = {
        edge.key: edge for customer in customers for edge in explain(shop.state, customer).edges
    }
    return list(edges.values())


def test_an_anonymous_visitor_who_signs_in_is_one_customer(shop):
    shop.see(event(cookie="k1"))
    before = shop.whose("cookie", "k1")

    shop.see(event("u1", "k1"))

    assert before.startswith("c_")
    assert shop.whose("cookie", "k1") == shop.whose("login", "u1") == "u1"
    assert aliases(shop.state) == {before: "u1"}
    assert present_ids(shop.state, [before, "u9"]) == {before: "u1", "u9": "u9"}


def test_two_devices_meet_in_a_login_and_a_phone_number_meets_them(shop):
    phone = tok("phone", 1)

    shop.see(event("u1", "k1"), event("u1", "k2"), event(cookie="k3", phone=phone))
    shop.see(event("u1", phone=phone))

    assert {shop.whose("cookie", k) for k in ("k1", "k2", "k3")} == {"u1"}
    assert [(one.namespace, one.value) for one in members(shop.state, "u1")] == [
        ("login", "u1"), ("cookie", "k1"), ("cookie", "k2"), ("phone", phone), ("cookie", "k3"),
    ]  # fmt: skip
    check_graph(shop)


def test_a_phone_number_two_logins_give_stays_with_the_first(shop):
    phone = tok("phone", 1)

    shop.see(event("u1", phone=phone), event("u2", phone=phone), event("u2", phone=phone, day=1))

    assert shop.whose("phone", phone) == "u1"
    assert shop.whose("login", "u2") == "u2"
    [refused] = [e for e in shop.edges() if e["standing"] == "refused"]
    assert (refused["a"], refused["reason"]) == ("u2", "two_login")
    assert household(shop.state, "u1") == household(shop.state, "u2") == ["u1", "u2"]
    check_graph(shop)


def test_a_family_device_never_merges_those_who_use_it(shop):
    shop.see(*(event(user, "k1", device="d1", day=day)
               for day, user in enumerate(["mum", "dad", "mum", "dad"])))  # fmt: skip

    assert shop.whose("login", "mum") == "mum"
    assert shop.whose("login", "dad") == "dad"
    assert shop.whose("device", "d1") == "mum"
    check_graph(shop)


def test_a_browser_joins_nobody_who_gave_different_phone_numbers(shop):
    one, two = tok("phone", 1), tok("phone", 2)

    shop.see(event(one, "k1"), event(two, "k1"))

    assert shop.whose("phone", one) != shop.whose("phone", two)
    assert {e["reason"] for e in shop.edges()} == {"", "unlike_phone"}


def test_a_kiosk_is_found_out_and_its_visitors_part(shop):
    email = tok("email", 1)
    shop.see(event(cookie="kiosk"), event(cookie="kiosk", email=email), event("u1", "kiosk"))
    assert shop.whose("email", email) == "u1"

    shop.see(*(event(f"u{n}", "kiosk", day=1) for n in (2, 3, 4)))

    found = [shop.whose("login", f"u{n}") for n in (1, 2, 3, 4)]
    assert found == ["u1", "u2", "u3", "u4"]
    assert shop.whose("cookie", "kiosk") not in found
    assert shop.whose("email", email) != "u1"
    assert shop.everything()[shop.whose("cookie", "kiosk")]["is_shared"] == 1
    assert household(shop.state, "u2") == ["u2"]
    check_graph(shop)


def test_what_a_kiosk_did_not_join_stays_joined_when_it_is_found_out(shop):
    email = tok("email", 1)
    shop.see(event("u1", "kiosk"), event(cookie="kiosk", email=email), event("u1", email=email))

    shop.see(*(event(f"u{n}", "kiosk") for n in (2, 3, 4)))

    assert shop.whose("email", email) == "u1"
    check_graph(shop)


def test_a_million_events_of_a_kiosk_leave_a_handful_of_edges(shop):
    for start in range(0, 300, 50):
        shop.follow([event(f"u{n}", "kiosk") for n in range(start, start + 50)])

    assert len(shop.edges()) <= 4


def test_junk_joins_nobody(tmp_path):
    junk = junk_nodes(lambda kind, text: tok(kind, 7) if text == "13800138000" else text)
    shop = Shop(tmp_path, junk)

    shop.see(
        event("u1", "guest", phone=tok("phone", 7)),
        event("u2", "guest", phone=tok("phone", 7)),
        event("u3", "00000000-0000-0000-0000-000000000000", phone="13912345678"),
        event("c_" + "0" * 20),
    )

    assert sorted(shop.owners()) == ["u1", "u2", "u3"]


def test_aliases_chain_and_an_alias_of_oneself_does_nothing(shop):
    shop.see(
        event(cookie="a"),
        event("b", kind="alias", previous="a"),
        event("b", kind="alias", previous="b"),
        event("c", kind="alias", previous="b"),
        event("d", kind="alias", previous="c"),
    )

    assert shop.whose("cookie", "a") == "b"
    assert [shop.whose("login", one) for one in "bcd"] == ["b", "c", "d"]
    check_graph(shop)


def test_who_takes_too_many_cards_gets_no_more(shop):
    shop.see(*(event("u1", card=f"card{n}") for n in range(8)))

    assert [shop.whose("card", f"card{n}") == "u1" for n in range(8)] == [True] * 5 + [False] * 3
    check_graph(shop)


def test_an_identifier_a_client_unbinds_leaves_with_what_came_by_it(shop):
    phone = tok("phone", 1)
    shop.see(event("u1", "k1", phone=phone), event(phone, "k2"))
    gone = event("u1") | {
        "event": "$UnbindID",
        "payload": json.dumps({"context": {"protocol": {
            "op": "track_id_unbind", "identifiers": [{"type": "phone", "id": phone}]}}}),
    }  # fmt: skip
    assert [tuple(one) for one in parted_by(gone)] == [("phone", phone)]

    shop.see(gone, event("u1", phone=phone))

    assert shop.whose("phone", phone) == shop.whose("cookie", "k2") != "u1"
    assert shop.whose("cookie", "k1") == "u1"
    check_graph(shop)


def test_a_batch_that_comes_again_changes_nothing(shop):
    batch = EventBatch(3, 5, pa.Table.from_pylist([event("u1", "k1"), event("u2", "k1")]))
    shop.follower.follow(batch)
    before = (shop.everything(), shop.edges(), shop.merges())

    shop.follower.follow(batch)
    shop.follower.follow(EventBatch(3, 4, pa.Table.from_pylist([event("u3", "k3")])))

    assert (shop.everything(), shop.edges(), shop.merges()) == before
    assert [shop.follower.position(p) for p in (3, 4)] == [5, 0]


def test_a_batch_killed_midway_leaves_neither_rows_nor_position(shop, monkeypatch):
    monkeypatch.setattr(
        "regulars.unify.identity.service._QUERIES", Failing("move_position"), raising=True
    )
    with pytest.raises(RuntimeError):
        shop.see(event("u1", "k1"))
    monkeypatch.undo()

    assert shop.everything() == {}
    assert shop.follower.position(0) == 0


class Failing:
    """Named statements, one of which fails."""

    def __init__(self, name):
        from regulars.unify.identity import service  # noqa: PLC0415

        self.name, self.queries = name, service._QUERIES

    def __getitem__(self, name):
        if name == self.name:
            raise RuntimeError
        return self.queries[name]


def test_one_batch_or_many_give_the_same(tmp_path):
    rows = stream(random.Random(3), 300)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, many = Shop(tmp_path / "a"), Shop(tmp_path / "b")

    one.follow(rows)
    many.see(*rows)

    assert one.everything() == many.everything()
    assert one.edges() == many.edges()
    assert one.merges() == many.merges()


def test_a_merge_by_hand_is_logged_and_taken_back(shop):
    shop.see(event("u1", "k1"), event(cookie="k2"))
    other = shop.whose("cookie", "k2")
    before = shop.everything()

    line = merge(shop.state, other, "u1", actor="mei", now=NOW, reason="same address")

    assert shop.whose("cookie", "k2") == "u1"
    assert (line.survivor, line.other) == ("u1", other)
    [undo] = unmerge(shop.state, line.number, actor="lin", now=NOW)
    assert shop.everything() == before
    assert [e.action for e in newest(shop.state)] == ["customer.unmerge", "customer.merge"]
    [first, second] = [m for m in explain(shop.state, "u1").merges if m.kind == "manual"]
    assert (second.number, second.undone_by) == (line.number, undo.number)
    with pytest.raises(InputError, match="taken back already"):
        unmerge(shop.state, line.number, actor="lin", now=NOW)


def test_two_logins_are_not_merged_by_hand_either(shop):
    shop.see(event("u1"), event("u2"))

    with pytest.raises(NotAllowed, match="two_login"):
        merge(shop.state, "u1", "u2", actor="mei", now=NOW)
    with pytest.raises(UnknownName):
        merge(shop.state, "u1", "c_nobody", actor="mei", now=NOW)
    with pytest.raises(UnknownName):
        unmerge(shop.state, 99, actor="mei", now=NOW)


def test_the_same_evidence_does_not_merge_again_what_was_taken_apart(shop):
    phone = tok("phone", 1)
    shop.see(event("u1", "k1"), event(cookie="k2", phone=phone), event("u1", phone=phone))
    [wrong] = [m["number"] for m in shop.merges() if m["survivor"] == "u1" and m["a"] == "u1"
               and m["b"] == members_of(shop, phone)]  # fmt: skip

    unmerge(shop.state, wrong, actor="mei", now=NOW)
    shop.see(event("u1", phone=phone, day=3), event(cookie="k2", phone=phone, day=3))

    assert shop.whose("phone", phone) == shop.whose("cookie", "k2") != "u1"
    assert link(
        shop.state,
        [(Identifier("login", "u1"), Identifier("cookie", "k2"),
          Evidence(NOW.isoformat(), "run 1", "matching", "probabilistic", "matching", 0.97))],
    ) == {"parted": 1}  # fmt: skip
    check_graph(shop)


def test_all_evidence_between_the_two_sides_is_cut_not_only_what_joined_them(shop):
    phone = tok("phone", 1)
    shop.see(event("u1", "k1", phone=phone), event(phone, "k1"))
    cookie = Identifier("cookie", "k1").node
    [number] = [m["number"] for m in shop.merges() if m["b"] == cookie]

    unmerge(shop.state, number, actor="mei", now=NOW)
    shop.see(event(phone, "k1", day=3), event("u1", "k1", day=3))

    assert shop.whose("phone", phone) == "u1"
    assert shop.whose("cookie", "k1") == cookie
    check_graph(shop)


def members_of(shop, phone):
    return Identifier("phone", phone).node


def test_matching_joins_by_the_same_rules(shop):
    shop.see(event("u1", "k1"), event("u2"), event(cookie="k3"))
    guess = Evidence(NOW.isoformat(), "run 1", "matching", "probabilistic", "matching", 0.97)

    outcomes = link(
        shop.state,
        [
            (Identifier("login", "u1"), Identifier("login", "u2"), guess),
            (Identifier("login", "u2"), Identifier("cookie", "k3"), guess),
        ],
    )

    assert outcomes == {"": 1, "two_login": 1}
    assert shop.whose("cookie", "k3") == "u2"
    [edge] = [e for e in explain(shop.state, "u2").edges if e.standing is Standing.JOINS]
    assert (edge.kind, edge.rule, edge.weight, edge.evidence) == (
        "probabilistic", "matching", 0.97, "run 1")  # fmt: skip


def test_a_members_file_makes_a_phone_number_known_before_any_event(shop):
    phone = tok("phone", 1)
    evidence = Evidence(NOW.isoformat(), "members.csv")

    new = adopt(shop.state, [([Identifier("login", "m1"), Identifier("phone", phone)], evidence)])
    shop.see(event(cookie="k1", phone=phone))

    assert new == 2
    assert shop.whose("cookie", "k1") == resolve(shop.state, "phone", phone) == "m1"
    assert resolve(shop.state, "login", "m2") == "m2"


def test_every_edge_says_why(shop):
    shop.see(event("u1", "k1"))

    found = explain(shop.state, Identifier("cookie", "k1").node)

    assert found.customer_id == "u1"
    [edge] = found.edges
    assert (edge.rule, edge.weight, edge.standing) == ("same_event", 1.0, Standing.JOINS)
    assert edge.evidence.startswith("web/")
    with pytest.raises(UnknownName):
        explain(shop.state, "u9")


def test_identifiers_are_read_wherever_clients_put_them():
    phone, email = tok("phone", 1), tok("email", 2)
    row = event("u1", "k1", wx_openid="o1", member_card="88") | {
        "payload": json.dumps({
            "traits": {"手机号": phone, "email": [email, "tok_text_" + "0" * 32], "unionid": "w1"},
            "context": {"device": {"id": "d1"}, "traits": {"card_no": 4711},
                        "externalIds": [{"type": "wx_openid", "id": "o1"}, {"type": "x", "id": "y"}]},
            "properties": {"phone": tok("phone", 9)},
        })
    }  # fmt: skip

    assert [tuple(one) for one in identifiers_of(row)] == [
        ("login", "u1"), ("unionid", "w1"), ("openid", "o1"), ("phone", phone), ("email", email),
        ("card", "4711"), ("device", "d1"), ("cookie", "k1"),
    ]  # fmt: skip


def stream(rng, size, *, logins=12, others=18):
    """Events of people who share phones, devices and browsers without restraint."""
    rows = []
    for n in range(size):
        named = {
            namespace: tok(namespace, rng.randrange(others))
            if namespace in {"phone", "email"}
            else f"{namespace}{rng.randrange(others)}"
            for namespace in ("phone", "email", "device", "card", "openid")
            if rng.random() < 0.15
        }
        user = f"u{rng.randrange(logins)}" if rng.random() < 0.4 else None
        cookie = f"k{rng.randrange(others)}" if rng.random() < 0.7 else None
        rows.append(event(user, cookie, day=n // 10, **named))
    return rows


def met_with(namespace, value, cookie, *, day):
    """An event that carries a known identifier and a cookie nobody saw."""
    named = {"externalIds": [{"type": namespace, "id": value}]}
    return event(cookie=cookie, day=day) | {"payload": json.dumps({"context": named})}


def check_round_trip(folder, rng, *, size, logins, others):
    """Merge by hand, let events arrive, take it back: as if it had never been merged."""
    rows = [event("first"), *stream(rng, size, logins=logins, others=others), event("last")]
    merged, never = Shop(folder / "merged"), Shop(folder / "never")
    merged.follow(rows)
    never.follow(rows)
    before = merged.everything()
    customers = sorted(set(merged.owners().values()))
    one, two = rng.sample(customers, 2)
    try:
        line = merge(merged.state, one, two, actor="mei", now=NOW)
    except NotAllowed:
        assert merged.everything() == before
        return 0
    unmerge(merged.state, line.number, actor="mei", now=NOW)
    assert merged.everything() == before

    line = merge(merged.state, one, two, actor="mei", now=NOW)
    known = [row for row in before.values() if not row["is_shared"]]
    between = [
        met_with(row["namespace"], row["value"], f"new{n}", day=size)
        for n, row in enumerate(rng.choices(known, k=5))
    ]
    merged.see(*between)
    never.see(*between)
    unmerge(merged.state, line.number, actor="mei", now=NOW)
    assert merged.owners() == never.owners()
    check_graph(merged)
    return 1


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(5, 60))
def test_a_merge_taken_back_leaves_everything_as_without_it(seed, size):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("merged", "never"):
            (Path(folder) / name).mkdir()
        taken_back = check_round_trip(
            Path(folder), random.Random(seed), size=size, logins=4, others=12
        )

        assert taken_back in {0, 1}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_whatever_people_share_no_two_logins_are_one_customer(seed):
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder)
        shop.follow(stream(random.Random(seed), 150))

        check_graph(shop)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_merge_events_made_can_be_taken_back_in_any_order(seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder)
        shop.follow(stream(rng, 25))
        standing = {(e["a"], e["b"], e["kind"]) for e in shop.edges() if e["standing"] == "joins"}
        numbers = [m["number"] for m in shop.merges() if m["action"] == "merge"
                   and (m["a"], m["b"], m["kind"]) in standing]  # fmt: skip
        for number in rng.sample(numbers, len(numbers)):
            unmerge(shop.state, number, actor="mei", now=NOW)
            check_graph(shop)

        assert all(node == customer for node, customer in shop.owners().items())


def prove() -> str:
    """The round trip and the never-merge rule at full size."""
    taken_back, events = 0, 0
    for seed in range(300):
        rng = random.Random(seed)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("merged", "never"):
                (Path(folder) / name).mkdir()
            size = rng.choice([20, 100, 400])
            taken_back += check_round_trip(
                Path(folder), rng, size=size, logins=size // 10, others=size // 3
            )
            events += 2 * size + 10
    with tempfile.TemporaryDirectory() as folder:
        shop, rng = Shop(folder), random.Random(1)
        for _ in range(100):
            shop.follow(stream(rng, 1_000, logins=4_000, others=6_000))
        check_graph(shop)
        logins = sum(row["namespace"] == "login" for row in shop.everything().values())
    return (
        f"{taken_back} merges by hand taken back, each at once and again after events arrived in between: "
        f"every row as without them ({events:,} events); {logins:,} logins sharing phones, cards, "
        "devices and browsers over 100,000 events: no two are one customer"
    )
