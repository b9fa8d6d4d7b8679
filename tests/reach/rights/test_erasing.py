"""A customer of points and coupons is shown whole, and after erasure nothing tells who it was."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from tests.reach.coupons.conftest import Counter
from tests.reach.journeys.journey_shop import Trip
from tests.reach.loyalty.conftest import moment, retailer
from tests.reach.loyalty.points_world import recount
from tests.reach.loyalty.test_points_membership import LEVELS, REFERRAL
from tests.reach.loyalty.test_points_merged import two_customers

from regulars.adapters.state import SQLState, migrate
from regulars.decide.offers.pricing import basket_from
from regulars.reach.coupons.redeeming.service import redeem as use_code
from regulars.reach.loyalty.draws.service import check_round, end_round, take_draw
from regulars.reach.loyalty.ledger import earn, redeem, reverse
from regulars.reach.loyalty.ledger.records import text_of
from regulars.reach.loyalty.ledger.service import post_points, sweep
from regulars.reach.loyalty.referrals.service import refer, referrals_of
from regulars.reach.loyalty.visiting.service import check_in, complete_task
from regulars.reach.rights import service
from regulars.reach.rights.about import pseudonym
from regulars.reach.rights.declared import HELD
from regulars.reach.rights.service import erase, rows_about
from regulars.unify.identity.service import merge, unmerge

__all__ = ["retailer"]

MAY = date(2026, 5, 1)
CANARY, ALIAS = "canary-7f3a9", "cookie-7f3a9"
SECRET = "ab" * 32
CALLING = """
id = "trip"
holdout = 0
keeps = ["says"]
entry = { event = "Came" }
[nodes.call]
kind = "webhook"
hook = "crm"
next = "end"
[nodes.end]
kind = "exit"
"""
RULES = (
    LEVELS.format(review="", downgrade="earned")
    + '[check_in]\npoints = [1]\n[[tasks]]\nid = "profile"\npoints = 5\n'
    + '[[badges]]\nid = "regular"\npoints = 50\nrule = {field = "orders", is = ">=", value = 3}\n'
    + REFERRAL.replace("most = 1", "most = 9")
    + '[draw]\nid = "wheel"\ncost = 1\nper_day = 9\ngone = "nothing"\n'
    + '[[draw.prizes]]\nid = "nothing"\nshare = "1/1"\n'
)
PREFIXES = ("points_", "coupon_", "journey_", "experiment_exposures")


def lives(retailer):
    """A customer under two ids who did everything there is to do, beside others."""
    state, now = retailer.state, moment(MAY)
    retailer.rules(RULES)
    with state.transaction() as opened:
        for order, (name, space) in enumerate(((CANARY, "login"), (ALIAS, "cookie"))):
            opened.run(
                """INSERT INTO identifiers
                   VALUES (:n, :s, :n, :n, :o, '2026-01-01', '2026-01-01', 'x', 0)""",
                n=name,
                s=space,
                o=order,
            )
    retailer.order("o1", CANARY, MAY, 150)
    retailer.order("o2", ALIAS, MAY, 400)
    retailer.order("o3", "bob", MAY, 80)
    retailer.earns(MAY)
    retailer.reviews(MAY)
    refer(state, CANARY, "bob", actor="me", now=now)
    refer(state, "eve", ALIAS, actor="me", now=now)
    merge(state, CANARY, ALIAS, actor="me", now=now)
    retailer.reviews(MAY)
    retailer.put("profiles", {"customer_id": CANARY, "orders": 3}, turn=1)
    retailer.gives_badges(MAY)
    retailer.refers(MAY + timedelta(days=20))
    check_in(state, CANARY, actor="me", now=now, zone="Asia/Shanghai")
    with state.transaction() as opened:
        complete_task(
            opened,
            CANARY,
            "profile",
            f"profile/{CANARY}",
            actor="me",
            now=now,
            zone="Asia/Shanghai",
        )
        take_draw(
            opened,
            CANARY,
            "wheel/1",
            actor="me",
            now=now,
            zone="Asia/Shanghai",
            new_seed=lambda: "cd" * 32,
        )
    post_points(
        state,
        [
            earn(f"gift/{CANARY}", CANARY, 40, reason="gift", reference=CANARY),
            redeem("spent", CANARY, 30, reason="reward"),
            reverse("back", "spent", points=10, reason="return"),
        ],
        now=now,
    )
    counter = Counter(retailer)
    counter.now = now
    counter.offer(codes=6)
    codes = [
        counter.give(who, f"given/{who}/{n}", now=now)
        for n, who in enumerate((CANARY, CANARY, "bob"))
    ]
    line = {"line_id": "1", "product_id": "p0", "amount": "100", "cost": "10"}
    basket = basket_from({
        "order_id": "till-1", "customer_id": CANARY, "lines": [line], "shipping": "0"
    })  # fmt: skip
    use_code(state, basket, [codes[0]], key=f"till/{CANARY}", now=now)
    journeys(state, now)
    return counter


def journeys(state, now):
    """He and others are in a journey; an event and the call of a webhook still wait."""
    trip = Trip(SimpleNamespace(state=state, all=None), CALLING, now)
    trip.tell("Came", CANARY, says=CANARY).tell("Came", "bob", says="bob").look()
    trip.after(minutes=1).tell("Came", ALIAS, CANARY)
    with state.transaction() as opened:
        opened.run(
            "INSERT INTO journey_members VALUES (1, 1, :who, 1), (1, 1, 'bob', 1)", who=CANARY
        )
        opened.run(
            """INSERT INTO journey_decisions (decision_id, customer_id, line)
               VALUES ('d1', :who, '{}'), ('d2', 'bob', '{}')""",
            who=CANARY,
        )
        opened.run(
            """INSERT INTO experiment_exposures (experiment_id, customer_id, variant, at)
               VALUES ('e', :who, 'a', 'x'), ('e', 'bob', 'b', 'x')""",
            who=CANARY,
        )


def extra_line(order_id, customer, day):
    return {
        "order_id": order_id,
        "customer_id": customer,
        "business_date": day,
        "line_id": "more",
        "product_id": "p0",
        "sales": Decimal(50),
    }


def everything(state):
    """Every row of the tables of points and coupons, as text by table."""
    with state.reading() as opened:
        names = [
            row["name"]
            for row in opened.all("SELECT name FROM sqlite_master WHERE type = 'table'")
            if row["name"].startswith(PREFIXES)
        ]
        return {
            name: json.dumps(opened.all(f"SELECT * FROM {name}"), default=str, ensure_ascii=False)
            for name in names
        }


def erases(retailer):
    with retailer.state.transaction() as opened:
        return erase(opened, CANARY, secret=SECRET)


def traces(retailer):
    return [
        name for name, text in everything(retailer.state).items() if CANARY in text or ALIAS in text
    ]


def test_an_access_pack_has_every_row_of_the_customer_under_whatever_id(retailer):
    lives(retailer)
    with retailer.state.reading() as opened:
        mine, same = rows_about(opened, CANARY), rows_about(opened, ALIAS)
        bobs = rows_about(opened, "bob")

    assert mine == same
    # Who brought him and whom he brought stand in keys and references, too.
    assert not re.search(r"\b(?:bob|eve)\b", json.dumps(mine, default=str))
    assert "referral/another customer/referrer" in json.dumps(mine["points_operations"])
    assert set(mine) >= {"identifiers", "identity_edges", "merge_log"}
    lived = {held.table for held in HELD if held.subjects and held.table.startswith(PREFIXES)}
    assert set(mine) >= lived - {"coupon_refusals"}
    assert {row["customer_id"] for row in mine["points_tiers"]} == {CANARY, ALIAS}
    assert len(mine["coupon_codes"]) == 2
    assert len(bobs["coupon_codes"]) == 1


def test_after_erasure_nothing_tells_who_it_was_and_the_books_still_agree(retailer):
    counter = lives(retailer)
    before = counter.counts()

    erased = erases(retailer)

    assert traces(retailer) == []
    assert erased["points_badges"] == 1
    # What people did about him stays in the log, which could not prove anything otherwise.
    assert set(erases(retailer)) <= {"audit_log"}
    with retailer.state.reading() as opened:
        assert set(rows_about(opened, CANARY)) <= {"audit_log"}
    assert recount(retailer.state, at=text_of(moment(MAY))) == {}
    assert before == {"free": 3, "issued": 2, "redeemed": 1}
    assert counter.counts() == {"free": 3, "issued": 1, "redeemed": 1, "void": 1}


def test_life_goes_on_for_others_after_somebody_was_erased(retailer):
    lives(retailer)
    had = retailer.has("bob", MAY)

    erases(retailer)

    later = MAY + timedelta(days=300)
    assert retailer.has("bob", MAY) == had
    assert [one.state for one in referrals_of(retailer.state, "eve")] == ["waiting"]
    again = retailer.earns(MAY + timedelta(days=1))
    assert (again.earned, again.refused) == (0, {})
    assert traces(retailer) == []
    sweep(retailer.state, now=moment(later))
    assert recount(retailer.state, at=text_of(moment(later))) == {}
    number = end_round(retailer.state, actor="me", now=moment(MAY)).round
    assert check_round(retailer.state, number) == []


def test_what_comes_back_or_grows_after_erasure_is_the_pseudonyms_not_his(retailer):
    lives(retailer)
    erases(retailer)
    day = MAY + timedelta(days=1)
    retailer.returns("r2", "o2", ALIAS, day, 100)
    retailer.put("order_lines", extra_line("o1", CANARY, day))

    later = retailer.earns(day)

    assert (later.earned, later.returned, later.refused) == (50, 100, {})
    assert traces(retailer) == []
    assert recount(retailer.state, at=text_of(moment(day))) == {}


def test_orders_that_were_forgotten_earn_again_and_are_caught(retailer, monkeypatch):
    lives(retailer)
    forgets = tuple(
        replace(held, erasure="delete") if held.table == "points_orders" else held for held in HELD
    )
    monkeypatch.setattr(service, "HELD", forgets)
    erases(retailer)

    assert retailer.earns(MAY + timedelta(days=1)).earned > 0
    assert traces(retailer) != []


BASKET = {"customer_id": "bob", "order_id": "o-12", "lines": [{"line_id": "1", "amount": "112.00"}]}


def crowd(retailer):
    """Customers 1 and 12 beside others whose ids, keys, orders and money have the same digits."""
    state, now = retailer.state, moment(MAY)
    retailer.rules(RULES)
    for order, customer in (("o-1", "1"), ("12", "121"), ("112", "12")):
        retailer.order(order, customer, MAY, 112)
    retailer.earns(MAY)
    refer(state, "12", "121", actor="me", now=now)
    refer(state, "bob", "1", actor="me", now=now)
    retailer.refers(MAY + timedelta(days=20))
    post_points(
        state,
        [
            earn("gift/12", "12", 40, reason="gift", reference="visit/12:1"),
            earn("g/1", "1", 40, reason="gift", reference="invoice 2012"),
            earn("gift/121", "121", 40, reason="gift", reference="12"),
            redeem("r/12", "121", 10, reason="reward", reference="invoice/12"),
            earn("1", "bob", 9, reason="gift"),
        ],
        now=now,
    )
    counter = Counter(retailer)
    counter.now = now
    counter.offer(codes=6)
    for who, key in (("12", "gift/121"), ("bob", "gift/12"), ("1", "given/1")):
        counter.give(who, key, now=now)
    with state.transaction() as opened:
        for key, order, who in (
            ("till/12", "o-12", "bob"),
            ("12/till", "112", "12"),
            ("1200", "1", "121"),
        ):
            told = [BASKET | {"customer_id": who, "order_id": order}, []]
            opened.run(
                "INSERT INTO coupon_orders VALUES (:key, :order, :who, :asked, :answer, '2026', NULL, NULL)",
                key=key,
                order=order,
                who=who,
                asked=json.dumps(told, ensure_ascii=False, sort_keys=True),
                answer=json.dumps({"to_pay": "112.00", "order_id": order}),
            )


def of_others(state, ids):
    """Every row of others, but for what bob got for bringing 1, whose key names 1."""
    with state.reading() as opened:
        found = {}
        for held in HELD:
            if held.subjects:
                rows = opened.all(f"SELECT * FROM {held.table}")
                found[held.table] = sorted(
                    json.dumps(row, default=str)
                    for row in rows
                    if not any(
                        row[name] in ids or row[name].startswith("erased-")
                        for name in held.subjects
                    )
                    and not (row.get("key") or row.get("lot_id") or "").startswith((
                        "referral/1/",
                        "erased/",
                    ))
                )
        return found


@pytest.mark.parametrize("who", ["1", "12"])
def test_erasing_a_short_id_leaves_the_rows_of_others_alone(retailer, who):
    crowd(retailer)
    before = of_others(retailer.state, {who})

    with retailer.state.transaction() as opened:
        erase(opened, who, secret=SECRET)
        left = rows_about(opened, who)
        mine = opened.all(
            "SELECT * FROM coupon_orders WHERE customer_id LIKE 'erased-%' ORDER BY key"
        )

    after = of_others(retailer.state, {who})
    name = pseudonym(SECRET, who)
    assert set(left) <= {"audit_log"}
    assert after == before
    assert recount(retailer.state, at=text_of(moment(MAY + timedelta(days=20)))) == {}
    told = post_points(
        retailer.state,
        [redeem("r/12", "121", 10, reason="reward", reference="invoice/12")],
        now=moment(MAY),
    )
    assert [one.is_new for one in told] == [False]
    if who == "12":
        [row] = mine
        assert row["key"] == f"{name}/till"
        asked = json.loads(row["asked"])[0]
        assert asked == BASKET | {"customer_id": name, "order_id": "112"}
        assert json.loads(row["answer"]) == {"to_pay": "112.00", "order_id": "112"}


def test_points_that_moved_to_who_parted_again_do_not_name_him_in_the_others_rows(retailer):
    two_customers(retailer)
    state, now = retailer.state, moment(MAY)
    post_points(state, [earn("a", "ann", 40, reason="g"), earn("b", "c_1", 9, reason="g")], now=now)
    number = merge(state, "ann", "c_1", actor="me", now=now).number
    post_points(state, [redeem("both", "ann", 45, reason="reward")], now=now)
    post_points(state, [reverse("back", "both", points=45, reason="return")], now=now)
    unmerge(state, number, actor="me", now=now)
    post_points(
        state, [redeem("c", "c_1", 1, reason="g"), redeem("d", "ann", 1, reason="g")], now=now
    )
    named = "SELECT * FROM points_operations WHERE asked_as = 'ann' AND reference = 'c_1'"
    assert len(retailer.all(named)) == 1
    with state.reading() as opened:
        told = [json.dumps(rows_about(opened, who), default=str) for who in ("ann", "c_1")]
    assert "another customer" in told[0]
    assert ("c_1" in told[0], re.search(r"\bann\b", told[1])) == (False, None)

    with state.transaction() as opened:
        erase(opened, "c_1", secret=SECRET)

    assert [name for name, text in everything(state).items() if '"c_1"' in text] == []
    assert recount(state, at=text_of(now)) == {}
    told = post_points(state, [redeem("both", "ann", 45, reason="reward")], now=now)
    assert [one.is_new for one in told] == [False]


def test_only_a_whole_part_of_a_text_is_an_id():
    part = service._part(["1", "12", "crm/1"])

    texts = ("12", "till/12", "12:1", "112.00", "r/121", "invoice 12", "a/crm/1", "12-1")

    assert [part.sub("X", text) for text in texts] == [
        "X", "till/X", "X:X", "112.00", "r/121", "invoice 12", "a/X", "12-1"
    ]  # fmt: skip


@pytest.mark.parametrize("forgotten", ["points_uses", "points_operations", "coupon_orders"])
def test_a_table_that_is_forgotten_is_found_by_its_canary(retailer, monkeypatch, forgotten):
    lives(retailer)
    left = tuple(held for held in HELD if held.table != forgotten)
    monkeypatch.setattr(service, "HELD", left)

    erases(retailer)

    assert traces(retailer) == [forgotten]


def test_erasure_works_on_a_server_too(postgresql):
    url = postgresql.new_database()
    migrate(url)
    state = SQLState(url)
    asks = [earn(f"gift/{CANARY}", CANARY, 40, reason="gift"), redeem("s", CANARY, 9, reason="r")]
    post_points(state, asks, now=moment(MAY))

    with state.transaction() as opened:
        erased = erase(opened, CANARY, secret=SECRET)
        rows = opened.all("SELECT key FROM points_operations ORDER BY key")

    assert erased["points_lots"] == 1
    assert all(row["key"].startswith("erased/") for row in rows)
    assert recount(state, at=text_of(moment(MAY))) == {}
    state.close()
