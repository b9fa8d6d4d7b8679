"""Draws come out as their seed says, prizes run out, rewards and their coupon happen both or neither."""

import json
import threading
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from tests.reach.loyalty.conftest import ZONE, moment

from regulars.errors import InputError, NotAllowed
from regulars.govern.audit.service import verify
from regulars.reach.loyalty.acting.service import buy_reward, points_action
from regulars.reach.loyalty.draws.drawing import doubts, draw_of, drawn, odds, prize_of
from regulars.reach.loyalty.draws.service import check_round, end_round, rounds, stock_of, take_draw
from regulars.reach.loyalty.referrals.service import refer
from regulars.reach.loyalty.visiting.service import check_in, complete_task

MAY = date(2026, 5, 1)
SEED = "5e" * 32
DRAW = """
[draw]
id = "wheel"
cost = 10
per_day = {per_day}
gone = "nothing"
[[draw.prizes]]
id = "trip"
share = "1/10"
stock = 3
value = 500
[[draw.prizes]]
id = "points"
share = "2/10"
points = 20
[[draw.prizes]]
id = "nothing"
share = "7/10"
[[rewards]]
id = "cup"
offer_id = "free_cup"
points = 100
"""


def wheel(retailer, per_day=1000):
    return retailer.rules(DRAW.format(per_day=per_day)).draw


def gives(retailer, points, customer="ann"):
    with retailer.state.transaction() as opened:
        points_action(opened, customer, points, "gift", f"gift/{customer}", moment(MAY))


def draws(retailer, key, customer="ann", day=MAY, **parts):
    with retailer.state.transaction() as opened:
        return take_draw(
            opened,
            customer,
            key,
            actor="me",
            now=moment(day),
            zone=ZONE,
            new_seed=lambda: SEED,
            **parts,
        )


def told_of(retailer):
    with retailer.state.reading() as opened:
        return opened.all("SELECT number, key, prize_id FROM points_draws ORDER BY number")


def test_a_draw_costs_its_points_and_is_the_same_when_asked_again(retailer):
    wheel(retailer)
    gives(retailer, 15)

    first, again, broke = (
        draws(retailer, "a"),
        draws(retailer, "a"),
        draws(retailer, "b", day=MAY + timedelta(days=1)),
    )

    assert (first.is_new, again.is_new) == (True, False)
    assert again.prize_id == first.prize_id
    won = 20 if first.prize_id == "points" else 0
    assert (broke.refused == "not_enough") == (won == 0)


def test_a_customer_draws_as_often_a_day_as_the_rules_say(retailer):
    wheel(retailer, per_day=2)
    gives(retailer, 1000)

    told = [draws(retailer, key).refused for key in "abc"]

    assert told == ["", "", "per_day"]
    assert draws(retailer, "d", day=MAY + timedelta(days=1)).refused == ""


def test_a_round_shown_proves_every_draw_and_a_prize_changed_or_a_draw_left_out_is_found(retailer):
    draw = wheel(retailer)
    gives(retailer, 2000)
    for n in range(120):
        draws(retailer, f"k{n}")
    assert rounds(retailer.state)[0].seed == ""
    assert draw_of(odds(draw)) == draw

    shown = end_round(retailer.state, actor="me", now=moment(MAY))

    assert shown.seed == SEED
    assert check_round(retailer.state, shown.round) == []
    told = told_of(retailer)
    assert Counter(row["prize_id"] for row in told)["trip"] == 3
    assert stock_of(retailer.state, draw) == {"trip": 0}

    def found(changed, seed=SEED):
        return doubts(
            draw, seed=seed, committed=shown.commitment, round_number=shown.round, told=changed
        )

    swapped = [row | ({"prize_id": "trip"} if row["number"] == 100 else {}) for row in told]
    assert [one.number for one in found(swapped)][:1] == [100]
    assert [one.number for one in found(told[:70] + told[71:])] == [71]
    assert found(told, seed="00" * 32)[0].number == 0


def test_prizes_come_as_often_as_their_published_odds_say(retailer):
    draw = wheel(retailer)

    won = Counter(prize_of(draw, drawn(SEED, 1, n, f"k{n}")).id for n in range(20_000))

    for prize in draw.prizes:
        expected = 20_000 * prize.share
        assert abs(won[prize.id] - expected) < 5 * float(expected * (1 - prize.share)) ** 0.5
    assert sum(one.share for one in draw.prizes) == Fraction(1)


def test_published_odds_may_not_change_and_a_new_draw_needs_a_new_id(retailer):
    wheel(retailer)
    gives(retailer, 1000)
    draws(retailer, "a")
    better = DRAW.format(per_day=1000).replace("2/10", "3/10").replace("7/10", "6/10")

    retailer.rules(better)
    with pytest.raises(NotAllowed, match="give the draw with the new odds another id"):
        draws(retailer, "b")
    retailer.rules(better.replace('"wheel"', '"wheel-2"'))

    assert draws(retailer, "b").round == 2
    assert '"share": "3/10"' in odds(retailer.rules(better.replace('"wheel"', '"wheel-2"')).draw)


def test_the_last_prize_is_won_once_by_many_at_the_same_time(retailer):
    sure = (
        DRAW
        .format(per_day=1000)
        .replace('"1/10"', '"1"')
        .replace('"2/10"', '"0"')
        .replace('"7/10"', '"0"')
    )
    retailer.rules(sure.replace("stock = 3", "stock = 1"))
    for n in range(10):
        gives(retailer, 10, f"c{n}")
    ready, won = threading.Barrier(10), []

    def draw(n):
        ready.wait()
        won.append(draws(retailer, f"k{n}", f"c{n}").prize_id)

    threads = [threading.Thread(target=draw, args=[n]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(won) == {"trip": 1, "nothing": 9}


def coupons(made, fails=False):
    def issue(opened, offer_id, customer_id, key, now):
        if fails:
            raise NotAllowed("stock", "no code is left")
        made.append((offer_id, customer_id, key))
        return f"CODE-{offer_id}-{key}"

    return issue


def buys(retailer, key, issue):
    with retailer.state.transaction() as opened:
        return buy_reward(
            opened, "ann", "cup", key, actor="me", now=moment(MAY), issue_coupon=issue
        )


def test_a_reward_is_bought_with_its_coupon_or_not_at_all(retailer):
    wheel(retailer)
    gives(retailer, 150)
    made = []

    with pytest.raises(NotAllowed, match="no code is left"):
        buys(retailer, "r1", coupons(made, fails=True))
    kept = retailer.has("ann", MAY)
    bought, broke = buys(retailer, "r1", coupons(made)), buys(retailer, "r2", coupons(made))

    assert kept == (150, 0, 0)
    assert (bought.code, bought.outcome.active) == ("CODE-free_cup-r1", 50)
    assert (broke.code, broke.outcome.refused) == ("", "not_enough")
    assert made == [("free_cup", "ann", "r1")]


def test_a_coupon_won_that_cannot_be_given_is_owed_and_the_draw_stands(retailer):
    retailer.rules(
        DRAW.format(per_day=1000).replace("points = 20", 'offer_id = "free_cup"\nvalue = 1')
    )
    gives(retailer, 1000)
    none, made = coupons([], fails=True), []
    found = [draws(retailer, f"k{n}", issue_coupon=none) for n in range(40)]
    owed = next(one for one in found if one.is_owed)
    late, again = (draws(retailer, owed.key, issue_coupon=coupons(made)) for _ in "ab")

    assert {one.prize_id for one in found if one.is_owed} == {"points"}
    assert [row["key"] for row in told_of(retailer)] == [f"k{n}" for n in range(40)]
    assert retailer.has("ann", MAY) == (600, 0, 0)
    assert (owed.code, late.code, late.is_owed) == ("", f"CODE-free_cup-draw/{owed.key}", False)
    assert (again.code, len(made)) == (late.code, 1)
    end_round(retailer.state, actor="mei", now=moment(MAY))
    assert check_round(retailer.state, 1) == []


def test_a_programme_without_a_draw_says_so(retailer):
    retailer.rules()

    with pytest.raises(InputError, match=r"add a table \[draw\]"):
        draws(retailer, "a")


def audited(retailer):
    rows = retailer.all("SELECT actor, action, subject, detail FROM audit_log ORDER BY number")
    return [(*list(row.values())[:3], json.loads(row["detail"])) for row in rows]


EVERYTHING = (
    DRAW.format(per_day=2)
    + '[check_in]\npoints = [1, 2, 5]\n[[tasks]]\nid = "profile"\npoints = 30\n'
    + "[referral]\nreferrer_points = 20\nfriend_points = 10\n"
)


def test_what_customers_do_with_points_is_in_the_audit_log_once_and_refusals_are_not(retailer):
    retailer.rules(EVERYTHING)
    gives(retailer, 130)
    before = len(audited(retailer))

    for _ in range(2):
        check_in(retailer.state, "ann", actor="till", now=moment(MAY), zone=ZONE)
        refer(retailer.state, "ann", "bob", actor="till", now=moment(MAY))
        with retailer.state.transaction() as opened:
            complete_task(opened, "ann", "profile", "t1", actor="till", now=moment(MAY), zone=ZONE)
        won = draws(retailer, "d1")
        buys(retailer, "r1", coupons([]))
    refused = (draws(retailer, "d2", "poor").refused, buys(retailer, "r2", coupons([])).outcome)

    assert (refused[0], refused[1].refused) == ("not_enough", "not_enough")
    drawn = {"draw_id": "wheel", "round": 1, "number": won.number, "prize_id": won.prize_id}
    assert audited(retailer)[before:] == [
        ("till", "points.check_in", "ann", {"day": "2026-05-01", "streak": 1, "points": 1}),
        ("till", "points.refer", "bob", {"state": "waiting", "why": ""}),
        ("till", "points.task", "ann", {"task": "profile", "points": 30}),
        ("me", "points.draw", "ann", drawn),
        ("me", "points.buy", "ann", {"reward": "cup", "points": 100}),
    ]
    assert verify(retailer.state, folder=retailer.app.folder).intact


def test_a_purchase_that_fails_leaves_nothing_in_the_audit_log(retailer):
    wheel(retailer)
    gives(retailer, 150)
    before = audited(retailer)

    with pytest.raises(NotAllowed):
        buys(retailer, "r1", coupons([], fails=True))

    assert audited(retailer) == before
