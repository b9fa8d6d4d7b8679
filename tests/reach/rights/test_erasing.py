"""A customer of points and coupons is shown whole, and after erasure nothing tells who it was."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from tests.reach.coupons.conftest import Counter
from tests.reach.journeys.journey_shop import Trip
from tests.reach.loyalty.conftest import moment, retailer
from tests.reach.loyalty.points_world import recount
from tests.reach.loyalty.test_points_membership import LEVELS, REFERRAL

from regulars.adapters.state import SQLState, migrate
from regulars.decide.offers.pricing import basket_from
from regulars.reach.coupons.redeeming.service import redeem as use_code
from regulars.reach.loyalty.draws.service import check_round, end_round, take_draw
from regulars.reach.loyalty.ledger import earn, redeem, reverse
from regulars.reach.loyalty.ledger.records import text_of
from regulars.reach.loyalty.ledger.service import post_points, sweep
from regulars.reach.loyalty.referrals.service import refer, referrals_of
from regulars.reach.loyalty.visiting.service import check_in, complete_task
from regulars.reach.rights import declared, service
from regulars.reach.rights.declared import HELD
from regulars.reach.rights.service import erase, rows_about
from regulars.unify.identity.service import merge

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
PREFIXES = ("points_", "coupon_", "journey_")


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
    refer(state, CANARY, "bob", now=now)
    refer(state, "eve", ALIAS, now=now)
    merge(state, CANARY, ALIAS, actor="me", now=now)
    retailer.reviews(MAY)
    retailer.put("profiles", {"customer_id": CANARY, "orders": 3}, turn=1)
    retailer.gives_badges(MAY)
    retailer.refers(MAY + timedelta(days=20))
    check_in(state, CANARY, now=now, zone="Asia/Shanghai")
    with state.transaction() as opened:
        complete_task(opened, CANARY, "profile", f"profile/{CANARY}", now=now, zone="Asia/Shanghai")
        take_draw(
            opened, CANARY, "wheel/1", now=now, zone="Asia/Shanghai", new_seed=lambda: "cd" * 32
        )
    post_points(
        state,
        [
            earn(f"gift/{CANARY}", CANARY, 40, reason="gift", reference=CANARY),
            redeem("spent", CANARY, 30, reason="reward"),
            reverse("back", "spent", points=10, reason="return"),
            earn("bobs", "bob", 40, reason="gift", reference=CANARY),
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


def test_every_table_that_holds_a_customer_is_declared(retailer):
    subjects = ("customer_id", "earned_as", "asked_as", "friend_id", "referrer_id", "holder_id")
    with retailer.state.reading() as opened:
        found = {}
        for name in everything(retailer.state):
            columns = {row["name"] for row in opened.all(f"PRAGMA table_info({name})")}
            if columns.intersection(subjects):
                found[name] = columns.intersection(subjects)

    assert {held.table: set(held.subjects) for held in HELD if held.subjects} == found


def test_an_access_pack_has_every_row_of_the_customer_under_whatever_id(retailer):
    lives(retailer)
    with retailer.state.reading() as opened:
        mine, same = rows_about(opened, CANARY), rows_about(opened, ALIAS)
        bobs = rows_about(opened, "bob")

    assert mine == same
    assert set(mine) == {held.table for held in HELD if held.subjects} - {"coupon_refusals"}
    assert {row["customer_id"] for row in mine["points_tiers"]} == {CANARY, ALIAS}
    assert len(mine["coupon_codes"]) == 2
    assert len(bobs["coupon_codes"]) == 1


def test_after_erasure_nothing_tells_who_it_was_and_the_books_still_agree(retailer):
    counter = lives(retailer)
    before = counter.counts()

    erased = erases(retailer)

    assert traces(retailer) == []
    assert erased["points_badges"] == 1
    assert erases(retailer) == {}
    with retailer.state.reading() as opened:
        assert rows_about(opened, CANARY) == {}
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
    assert retailer.earns(MAY + timedelta(days=1)).refused == {}
    sweep(retailer.state, now=moment(later))
    assert recount(retailer.state, at=text_of(moment(later))) == {}
    number = end_round(retailer.state, actor="me", now=moment(MAY)).round
    assert check_round(retailer.state, number) == []


@pytest.mark.parametrize("forgotten", ["points_uses", "points_operations", "coupon_orders"])
def test_a_table_that_is_forgotten_is_found_by_its_canary(retailer, monkeypatch, forgotten):
    lives(retailer)
    left = tuple(held for held in declared.HELD if held.table != forgotten)
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
